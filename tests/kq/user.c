/* SPDX-License-Identifier: ISC */
/*
 * user.c - events triggered by the program itself.
 */
#include "kq.h"

#ifdef EVFILT_USER

static void
triggered(void)
{
	change(kq, "#1 USER ADD @5");
	expect(kq, " ");
	change(kq, "#1 USER TRIGGER @5");
	expect(kq, "#1 USER @5");
	expect(kq, "#1 USER @5");
	change(kq, "#1 USER DELETE");
	expect(kq, " ");
	refuse(kq, ENOENT, "#1 USER TRIGGER");
	refuse(kq, ENOENT, "#1 USER DELETE");
}

static void
triggered_clear(void)
{
	change(kq, "#1 USER ADD CLEAR");
	change(kq, "#1 USER TRIGGER");
	change(kq, "#1 USER TRIGGER");
	expect(kq, "#1 USER CLEAR");
	expect(kq, " ");
	change(kq, "#1 USER TRIGGER");
	expect(kq, "#1 USER CLEAR");
	expect(kq, " ");
}

static void
triggered_oneshot(void)
{
	change(kq, "#1 USER ADD ONESHOT @3");
	change(kq, "#1 USER TRIGGER @3");
	expect(kq, "#1 USER ONESHOT @3");
	expect(kq, " ");
	refuse(kq, ENOENT, "#1 USER TRIGGER");
}

static void
notes_copied(void)
{
	change(kq, "#1 USER ADD CLEAR");
	change(kq, "#1 USER TRIGGER FFCOPY 0x33");
	expect(kq, "#1 USER CLEAR 0x33");
	change(kq, "#1 USER TRIGGER FFOR 0x44");
	expect(kq, "#1 USER CLEAR 0x77");
	change(kq, "#1 USER TRIGGER FFAND 0x0f");
	expect(kq, "#1 USER CLEAR 0x07");
	change(kq, "#1 USER TRIGGER FFNOP 0xff");
	expect(kq, "#1 USER CLEAR 0x07");
	change(kq, "#1 USER TRIGGER FFCOPY");
	expect(kq, "#1 USER CLEAR");
}

static void
notes_of_all_bits(void)
{
	unsigned a = 0xffffff, b = 1;

	change(kq, "#1 USER ADD CLEAR");
	change(kq, "#1 USER TRIGGER FFCOPY 0x%x", a);
	expect(kq, "#1 USER CLEAR 0x%x", a);
	change(kq, "#1 USER TRIGGER FFAND 0x800001");
	expect(kq, "#1 USER CLEAR 0x800001");
	for (a = 0x800001; b != 0x800000; b <<= 1) {
		a |= b;
		change(kq, "#1 USER TRIGGER FFOR 0x%x", b);
		expect(kq, "#1 USER CLEAR 0x%x", a);
	}
}

/* FreeBSD returns the fflags that were copied with FFCOPY at EV_ADD. */
static void
notes_at_add(void)
{
	change(kq, "#1 USER ADD FFCOPY 0x0f");
	change(kq, "#1 USER TRIGGER");
	expect(kq,
	    LINUX_OR("#1 USER 0x0f", "#1 USER 0x0f | #1 USER 0xc000000f"));
}

static void
notes_without_trigger(void)
{
	change(kq, "#1 USER ADD");
	change(kq, "#1 USER FFOR 0x01");
	expect(kq, " ");
	change(kq, "#1 USER FFOR 0x02");
	expect(kq, " ");
	change(kq, "#1 USER TRIGGER");
	expect(kq, "#1 USER 0x03");
	expect(kq, "#1 USER 0x03");
	change(kq, "#1 USER FFOR 0x04");
	expect(kq, "#1 USER 0x07");
	change(kq, "#1 USER FFAND 0x05");
	expect(kq, "#1 USER 0x05");
}

static void
data_and_udata(void)
{
#if REFERENCE
	change(kq, "#1 USER ADD CLEAR =1 @1");
	change(kq, "#1 USER TRIGGER =42 @2");
	expect(kq, "#1 USER CLEAR =42 @2");
	change(kq, "#1 USER TRIGGER =-7 @3");
	expect(kq, "#1 USER CLEAR =-7 @3");
	change(kq, "#1 USER TRIGGER");
	expect(kq, "#1 USER CLEAR");
#else
	skip("a trigger brings no data here");
#endif
}

static void
disabled(void)
{
	change(kq, "#1 USER ADD CLEAR");
	change(kq, "#1 USER DISABLE");
	change(kq, "#1 USER TRIGGER FFOR 0x08");
	expect(kq, " ");
	change(kq, "#1 USER ENABLE");
	expect(kq, "#1 USER CLEAR 0x08");
	expect(kq, " ");
	change(kq, "#1 USER DISABLE TRIGGER");
	expect(kq, " ");
	change(kq, "#1 USER ENABLE");
	expect(kq, "#1 USER CLEAR 0x08");
}

static void
enabled_and_triggered(void)
{
	change(kq, "#1 USER ADD DISABLE CLEAR");
	change(kq, "#1 USER ENABLE TRIGGER @1");
	expect(kq, "#1 USER CLEAR @1");
}

#ifdef EV_DISPATCH
static void
dispatch(void)
{
	change(kq, "#1 USER ADD DISPATCH CLEAR");
	change(kq, "#1 USER TRIGGER");
	expect(kq, "#1 USER DISPATCH CLEAR");
	change(kq, "#1 USER TRIGGER");
	expect(kq, " ");
	change(kq, "#1 USER ENABLE");
	expect(kq, "#1 USER DISPATCH CLEAR");
	change(kq, "#1 USER ENABLE");
	expect(kq, " ");
}
#endif

static void
deleted_when_triggered(void)
{
	change(kq, "#1 USER ADD CLEAR");
	change(kq, "#1 USER TRIGGER FFCOPY 0x3");
	change(kq, "#1 USER DELETE");
	expect(kq, " ");
	change(kq, "#1 USER ADD CLEAR");
	expect(kq, " ");
	change(kq, "#1 USER TRIGGER");
	expect(kq, "#1 USER CLEAR");
}

static void
several(void)
{
	int i;

	for (i = 0; i < 1000; i++)
		change(kq, "#%d USER ADD CLEAR @%d", i, i);
	for (i = 0; i < 1000; i += 100)
		change(kq, "#%d USER TRIGGER @%d", i, i);
	expect(kq,
	    "#0 USER CLEAR, #100 USER CLEAR @100, #200 USER CLEAR @200,"
	    "#300 USER CLEAR @300, #400 USER CLEAR @400, #500 USER CLEAR @500,"
	    "#600 USER CLEAR @600, #700 USER CLEAR @700, #800 USER CLEAR @800,"
	    "#900 USER CLEAR @900");
	expect(kq, " ");
	change(kq, "#-1 USER ADD CLEAR");
	change(kq, "#-1 USER TRIGGER");
	expect(kq, "#-1 USER CLEAR");
}

static void
of_its_queue_alone(void)
{
	int k2 = new_queue("k2");

	change(kq, "#1 USER ADD CLEAR @1");
	refuse(k2, ENOENT, "#1 USER TRIGGER");
	change(k2, "#1 USER ADD CLEAR @2");
	change(k2, "#1 USER TRIGGER @2");
	expect(kq, " ");
	expect(k2, "#1 USER CLEAR @2");
}

static void
triggered_and_collected(void)
{
	change(kq, "#1 USER ADD CLEAR");
	answer(kq, "#1 USER TRIGGER FFCOPY 0x5 @4", "#1 USER CLEAR 0x5 @4");
	answer(kq, "#1 USER TRIGGER, #1 USER DELETE", " ");
}

#endif

const struct test user_tests[] = {
#ifdef EVFILT_USER
	{ "user_triggered", triggered },
	{ "user_triggered_clear", triggered_clear },
	{ "user_triggered_oneshot", triggered_oneshot },
	{ "user_notes_copied", notes_copied },
	{ "user_notes_of_all_bits", notes_of_all_bits },
	{ "user_notes_at_add", notes_at_add },
	{ "user_notes_without_trigger", notes_without_trigger },
	{ "user_data_and_udata", data_and_udata },
	{ "user_disabled", disabled },
	{ "user_enabled_and_triggered", enabled_and_triggered },
#ifdef EV_DISPATCH
	{ "user_dispatch", dispatch },
#endif
	{ "user_deleted_when_triggered", deleted_when_triggered },
	{ "user_several", several },
	{ "user_of_its_queue_alone", of_its_queue_alone },
	{ "user_triggered_and_collected", triggered_and_collected },
#endif
	{ NULL, NULL },
};
