/* SPDX-License-Identifier: ISC */
/*
 * The headers of zsh include this one if the zsh was built with it, but use
 * nothing of it.  It serves where libcap's header is not installed.
 */
