/* Ways out of a container, one for each name; see escapes.rs. Ends with 0 when it is out, with 1 when it is not. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif

/* A file of the host's that a program inside has no name for, and a process of the host's. */
static const char *secret;
static pid_t outsider;

static int reads_secret(const char *before)
{
	char path[8192];
	char text[16] = "";
	int fd;
	snprintf(path, sizeof path, "%s%s", before, secret);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	return read(fd, text, sizeof text) > 0 && strncmp(text, "secret", 6) == 0;
}

static int climbs(void)
{
	int n;
	for (n = 0; n < 200; n++)
		if (chdir("..") != 0)
			break;
	return reads_secret(".");
}

static int by_descriptor(void)
{
	int fd;
	for (fd = 3; fd < 1024; fd++)
		if (fchdir(fd) == 0 && climbs())
			return 1;
	return climbs();
}

static int by_chroot(void)
{
	int top = open("/", O_RDONLY | O_DIRECTORY);
	mkdir("/tmp/second", 0700);
	if (chroot("/tmp/second") != 0)
		return 0;
	return fchdir(top) == 0 && climbs();
}

static int by_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0 && by_chroot();
}

static int by_node(void)
{
	unlink("/tmp/disk");
	unlink("/tmp/memory");
	return mknod("/tmp/disk", S_IFBLK | 0600, makedev(7, 0)) == 0 ||
	       mknod("/tmp/memory", S_IFCHR | 0600, makedev(1, 1)) == 0;
}

static int traces(pid_t pid)
{
	return pid > 0 && ptrace(PTRACE_SEIZE, pid, 0, 0) == 0;
}

static int by_ptrace(void)
{
	return traces(outsider) || traces(getppid()) || traces(1);
}

static int by_signal(void)
{
	pid_t parent = getppid();
	if (kill(outsider, SIGKILL) == 0)
		return 1;
	return parent > 1 && kill(parent, SIGKILL) == 0;
}

static int by_proc(void)
{
	char before[64];
	pid_t pid;
	for (pid = 1; pid < 100; pid++) {
		snprintf(before, sizeof before, "/proc/%d/root", pid);
		if (reads_secret(before))
			return 1;
		snprintf(before, sizeof before, "/proc/%d/cwd/../../../../../..", pid);
		if (reads_secret(before))
			return 1;
	}
	snprintf(before, sizeof before, "/proc/%d/root", outsider);
	return reads_secret(before);
}

static int by_kernel_settings(void)
{
	static const char *const files[] = {
		"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches",
		"/proc/sysrq-trigger", "/proc/irq/default_smp_affinity", "/sys/kernel/uevent_helper",
		"/sys/power/state",
	};
	size_t n;
	for (n = 0; n < sizeof files / sizeof *files; n++)
		if (open(files[n], O_WRONLY) >= 0)
			return 1;
	return 0;
}

static int by_mount(void)
{
	mkdir("/tmp/mnt", 0700);
	return mount("none", "/tmp/mnt", "tmpfs", 0, "") == 0 || mount("none", "/tmp/mnt", "proc", 0, "") == 0 ||
	       mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL) == 0 || umount2("/proc/sys", MNT_DETACH) == 0 ||
	       syscall(SYS_fsopen, "tmpfs", 0) >= 0;
}

static int by_module(void)
{
	/* The kernel asks for the capability before it looks at the module. */
	return syscall(SYS_init_module, "", 0, "") == 0 || (errno != EPERM && errno != ENOSYS);
}

static int by_raw_io(void)
{
#if defined(__x86_64__)
	if (iopl(3) == 0 || ioperm(0x80, 1, 1) == 0)
		return 1;
#endif
	return open("/dev/mem", O_RDONLY) >= 0 || open("/dev/port", O_RDONLY) >= 0 ||
	       open("/proc/kcore", O_RDONLY) >= 0;
}

static int by_handle(void)
{
	struct { struct file_handle head; unsigned char bytes[8]; } handle;
	int mount = open("/", O_RDONLY | O_DIRECTORY);
	memset(&handle, 0, sizeof handle);
	handle.head.handle_bytes = 8;
	handle.head.handle_type = 1;
	handle.bytes[0] = 2;
	return open_by_handle_at(mount, &handle.head, O_RDONLY) >= 0 || errno != EPERM;
}

static int by_pivot(void)
{
	return chdir("/") == 0 && (syscall(SYS_pivot_root, ".", ".") == 0 || errno != EPERM);
}

static int by_namespace(void)
{
	static const char *const kinds[] = { "mnt", "pid", "net", "ipc", "uts", "cgroup" };
	char path[64];
	size_t n;
	for (n = 0; n < sizeof kinds / sizeof *kinds; n++) {
		int fd;
		snprintf(path, sizeof path, "/proc/1/ns/%s", kinds[n]);
		fd = open(path, O_RDONLY);
		if (fd >= 0 && setns(fd, 0) == 0)
			return 1;
	}
	return 0;
}

static int reads_key(int keyring)
{
	long key = syscall(SYS_keyctl, 10 /* KEYCTL_SEARCH */, keyring, "user", secret, 0);
	char text[16] = "";
	return key > 0 && syscall(SYS_keyctl, 11 /* KEYCTL_READ */, key, text, sizeof text) > 0;
}

static int by_session_keyring(void)
{
	return reads_key(-3 /* KEY_SPEC_SESSION_KEYRING */);
}

static int by_user_keyring(void)
{
	/* What its own session holds a process may read. */
	syscall(SYS_keyctl, 8 /* KEYCTL_LINK */, -4 /* KEY_SPEC_USER_KEYRING */, -3);
	return reads_key(-4);
}

static int by_reboot(void)
{
	/* The capability is asked for before the magic numbers. */
	return syscall(SYS_reboot, 0, 0, 0, 0) == 0 || errno != EPERM;
}

static int by_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t length = strlen(secret);
	memcpy(address.sun_path + 1, secret, length);
	return connect(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + length) == 0;
}

static int by_shared_memory(void)
{
	int segment = shmget((key_t)outsider, 0, 0);
	const char *text = segment < 0 ? (void *)-1 : shmat(segment, NULL, SHM_RDONLY);
	return text != (void *)-1 && strncmp(text, "secret", 6) == 0;
}

static int by_typing(void)
{
	int fd;
	for (fd = 0; fd < 1024; fd++) {
		const char *text;
		for (text = "touched\n"; *text; text++)
			ioctl(fd, TIOCSTI, text);
	}
	/* Whether anything arrived, the terminal's owner tells. */
	return 0;
}

static const struct way {
	const char *name;
	int (*leads_out)(void);
} ways[] = {
	{ "descriptor", by_descriptor },	{ "chroot", by_chroot },
	{ "user-namespace", by_user_namespace },	{ "node", by_node },
	{ "ptrace", by_ptrace },	{ "signal", by_signal },
	{ "proc", by_proc },	{ "kernel-settings", by_kernel_settings },
	{ "mount", by_mount },	{ "module", by_module },
	{ "raw-io", by_raw_io },	{ "handle", by_handle },
	{ "pivot", by_pivot },	{ "namespace", by_namespace },
	{ "session-keyring", by_session_keyring },	{ "user-keyring", by_user_keyring },
	{ "reboot", by_reboot },	{ "socket", by_socket },
	{ "shared-memory", by_shared_memory },	{ "typing", by_typing },
};

int main(int argc, char **argv)
{
	size_t n;
	if (argc != 4)
		return 2;
	secret = argv[2];
	outsider = atoi(argv[3]);
	for (n = 0; n < sizeof ways / sizeof *ways; n++)
		if (strcmp(argv[1], ways[n].name) == 0) {
			int is_out = ways[n].leads_out();
			printf("%s: %s (%s)\n", argv[1], is_out ? "out" : "held", strerror(errno));
			return !is_out;
		}
	return 2;
}
