/* SPDX-License-Identifier: ISC */
/* openers.c - which processes have a file open. */
#include "peer.h"

#if defined(__linux__) || defined(__FreeBSD__) || defined(__NetBSD__)
#ifdef __NetBSD__
#include <sys/param.h>
#endif
#include <sys/stat.h>
#if defined(__linux__)
#include <sys/sysmacros.h>
#elif defined(__FreeBSD__)
#include <sys/sysctl.h>
#include <sys/user.h>
#else
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/sysctl.h>
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* By how a process has the file open: 1 to read, 2 to write, 3 both. */
static const char *const names[] = { "", "r", "w", "rw" };

struct file_id {
	dev_t dev;
	ino_t ino;
};

static struct file_id
file_id(const char *word)
{
	struct file_id id;
	struct stat st;
	unsigned long long dev, ino;
	int length = 0;

	if (sscanf(word, "%llu:%llu%n", &dev, &ino, &length) == 2 &&
	    word[length] == '\0') {
		id.dev = (dev_t)dev;
		id.ino = (ino_t)ino;
		return id;
	}
	if (stat(word, &st) == -1)
		die(1, "%s", word);
	id.dev = st.st_dev;
	id.ino = st.st_ino;
	return id;
}

#ifdef __linux__
/* The access mode is in octal in fdinfo. */
static int
access_mode(const char *pid, const char *fd)
{
	char path[320], line[128];
	unsigned flags = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%s/fdinfo/%s", pid, fd);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	fclose(f);
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return 1;
	case O_WRONLY:
		return 2;
	default:
		return 3;
	}
}

/* The state letter of ps(1), and *PARENT; 0 where it is unknown. */
static char
state_of(const char *pid, long *parent)
{
	char path[300], line[512], state = 0;
	const char *p;
	FILE *f;

	*parent = 0;
	snprintf(path, sizeof path, "/proc/%s/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	if (fgets(line, sizeof line, f) == NULL ||
	    (p = strrchr(line, ')')) == NULL ||
	    sscanf(p + 1, " %c %ld", &state, parent) != 2)
		state = 0;
	fclose(f);
	return state;
}

/*
 * A process without descriptors and without a program is about to end: its
 * files may still be open.  Threads of the kernel are below process 2.
 */
static int
is_ending(const char *pid)
{
	char path[300], program[2];
	long parent;
	char state;

	snprintf(path, sizeof path, "/proc/%s/exe", pid);
	if (readlink(path, program, sizeof program) != -1 || errno != ENOENT)
		return 0;
	state = state_of(pid, &parent);
	return state != 0 && state != 'Z' && state != 'X' && parent != 2 &&
	    strcmp(pid, "2") != 0;
}

/*
 * How one process has the file open: 1 to read, 2 to write, 3 both; 4 if that
 * is unknown because the process was about to end while its descriptors were
 * listed.
 */
static int
modes_of(const char *pid, const struct file_id *id)
{
	char path[300];
	struct dirent *d;
	struct stat st;
	DIR *dir;
	int modes = 0, mode, none = 1, vanished = 0;

	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	if ((dir = opendir(path)) == NULL)
		return 0;
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		none = 0;
		if (fstatat(dirfd(dir), d->d_name, &st, 0) == -1) {
			vanished = 1;
			continue;
		}
		if (st.st_dev != id->dev || st.st_ino != id->ino)
			continue;
		mode = access_mode(pid, d->d_name);
		vanished |= mode == 0;
		modes |= mode;
	}
	closedir(dir);
	return (none || vanished) && is_ending(pid) ? 4 : modes;
}

/* Returns the number of processes, or -1 while it is unknown. */
static long
openers(const struct file_id *id, int print)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	long count = 0;
	int modes, ending = 0;

	if (proc == NULL)
		die(ABSENT, "/proc");
	while ((d = readdir(proc)) != NULL) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9' ||
		    (modes = modes_of(d->d_name, id)) == 0)
			continue;
		if (modes == 4) {
			ending = 1;
			continue;
		}
		count++;
		if (print)
			printf("%s %s\n", d->d_name, names[modes]);
	}
	closedir(proc);
	return ending ? -1 : count;
}

/*
 * Whether an open file description has a lock on it.  Measured on Linux 6.18: a
 * process may still have an end of a FIFO when /proc no longer shows it; a
 * holder has such a lock as long as it has an end.
 */
static int
is_locked(const struct file_id *id)
{
	char line[256];
	unsigned of_major, of_minor;
	unsigned long long inode;
	int found = 0;
	FILE *f = fopen("/proc/locks", "r");

	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
		found = sscanf(line, "%*d: OFDLCK %*s %*s %*d %x:%x:%llu",
			    &of_major, &of_minor, &inode) == 3 &&
		    inode == id->ino && of_major == major(id->dev) &&
		    of_minor == minor(id->dev);
	if (f != NULL)
		fclose(f);
	return found;
}
#else
/* What sysctl(3) has under NAME, to be freed; SIZE is 0 where it has nothing. */
static char *
system_list(const int *name, unsigned length, size_t *size)
{
	char *list = NULL;

	while (sysctl(name, length, NULL, size, NULL, 0) == 0) {
		*size += *size / 2 + 1024;
		free(list);
		if ((list = malloc(*size)) == NULL)
			die(1, "malloc");
		if (sysctl(name, length, list, size, NULL, 0) == 0)
			return list;
		if (errno != ENOMEM)
			break;
	}
	*size = 0;
	return list;
}

#ifdef __FreeBSD__
/* FreeBSD's sysctl(3), KERN_PROC_FILEDESC: records of varying size. */
static int
modes_of(pid_t pid, const struct file_id *id)
{
	const int name[] = { CTL_KERN, KERN_PROC, KERN_PROC_FILEDESC, pid };
	size_t size, at;
	char *list = system_list(name, 4, &size);
	const struct kinfo_file *f;
	int modes = 0;

	for (at = 0; at < size; at += (size_t)f->kf_structsize) {
		f = (const void *)(list + at);
		if (f->kf_structsize == 0)
			break;
		if (f->kf_fd < 0 ||
		    (f->kf_type != KF_TYPE_FIFO &&
			f->kf_type != KF_TYPE_VNODE) ||
		    f->kf_un.kf_file.kf_file_fsid != id->dev ||
		    f->kf_un.kf_file.kf_file_fileid != id->ino)
			continue;
		modes |= ((f->kf_flags & KF_FLAG_READ) != 0 ? 1 : 0) |
		    ((f->kf_flags & KF_FLAG_WRITE) != 0 ? 2 : 0);
	}
	free(list);
	return modes;
}

static long
openers(const struct file_id *id, int print)
{
	const int name[] = { CTL_KERN, KERN_PROC, KERN_PROC_PROC };
	size_t size, i;
	struct kinfo_proc *list = (void *)system_list(name, 3, &size);
	long count = 0;
	int modes;

	for (i = 0; i < size / sizeof *list; i++) {
		if ((modes = modes_of(list[i].ki_pid, id)) == 0)
			continue;
		count++;
		if (print)
			printf("%d %s\n", (int)list[i].ki_pid, names[modes]);
	}
	free(list);
	return count;
}

#else
/* The descriptors of all processes, with the addresses of the kernel. */
static struct kinfo_file *
all_files(size_t *count)
{
	const int name[] = { CTL_KERN, KERN_FILE2, KERN_FILE_BYPID, -1,
		sizeof(struct kinfo_file), INT_MAX };
	static int memory = -1;
	size_t size;
	char *list;

	/* NetBSD 9.1 shows addresses to those that have opened this */
	if (memory == -1 &&
	    (memory = open("/dev/kmem", O_RDONLY | O_CLOEXEC)) == -1)
		die(ABSENT, "/dev/kmem");
	list = system_list(name, 6, &size);
	*count = size / sizeof(struct kinfo_file);
	return (void *)list;
}

/*
 * sysctl(3) has no inode number, but the address of the file system's node.  In
 * tmpfs of NetBSD 9.1 that, divided by the node's size, is the inode number: so
 * the current directory tells the size.
 */
static uint64_t
node_size(void)
{
	static uint64_t size;
	struct kinfo_file *list;
	struct statvfs fs;
	struct stat st;
	size_t count, i;
	int fd;

	if (size != 0)
		return size;
	if ((fd = open(".", O_RDONLY | O_CLOEXEC)) == -1 ||
	    fstat(fd, &st) == -1 || fstatvfs(fd, &fs) == -1)
		die(1, "the current directory");
	if (strcmp(fs.f_fstypename, "tmpfs") != 0 || st.st_ino == 0)
		die(ABSENT, "who has a file open is known in a tmpfs only");
	list = all_files(&count);
	for (i = 0; i < count && size == 0; i++)
		if (list[i].ki_pid == (uint32_t)getpid() && list[i].ki_fd == fd)
			size = list[i].ki_vdata / st.st_ino;
	free(list);
	close(fd);
	if (size == 0)
		die(ABSENT, "sysctl(3) shows no addresses");
	return size;
}

/* The records of one process are in a row. */
static long
openers(const struct file_id *id, int print)
{
	uint64_t size = node_size();
	struct kinfo_file *list;
	size_t number_of, i;
	long count = 0;
	int modes = 0;

	list = all_files(&number_of);
	for (i = 0; i < number_of; i++) {
		if (list[i].ki_ftype == DTYPE_VNODE &&
		    list[i].ki_vdata / size == id->ino)
			modes |= ((list[i].ki_flag & FREAD) != 0 ? 1 : 0) |
			    ((list[i].ki_flag & FWRITE) != 0 ? 2 : 0);
		if (modes == 0 ||
		    (i + 1 < number_of && list[i + 1].ki_pid == list[i].ki_pid))
			continue;
		count++;
		if (print)
			printf("%u %s\n", (unsigned)list[i].ki_pid,
			    names[modes]);
		modes = 0;
	}
	free(list);
	return count;
}
#endif

static int
is_locked(const struct file_id *id)
{
	(void)id;
	return 0;
}
#endif

int
cmd_openers(char **argv)
{
	struct file_id id = file_id(argv[0]);

	openers(&id, 1);
	return 0;
}

int
cmd_await(char **argv)
{
	struct file_id id = file_id(argv[1]);
	long n = (long)number(argv[0], LONG_MAX);

	while (openers(&id, 0) != n || (n == 0 && is_locked(&id)))
		nap(2000000);
	return 0;
}
#else
int
cmd_openers(char **argv)
{
	(void)argv;
	die(ABSENT, "no way to ask which files a process has open");
}

int
cmd_await(char **argv)
{
	return cmd_openers(argv);
}
#endif
