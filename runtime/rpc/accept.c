/* accept4 for the whole program, in place of libc's. When accept4 fails, gRPC 1.51 stops to listen
 * for ever, and says so nowhere but in its log: whoever opened as many connections as the process
 * may have files, with a certificate or without one, would have silenced it. Here nothing that can
 * pass is an error, and connections leave files for databases and certificates.
 * Source: accept(2), "Error handling". */
#include "rpc/accept.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rt/clock.h"
#include "rt/log.h"

/* Files that are never a connection's. */
#define KEPT_FILES 64
#define LOG_US     RT_US_PER_S

void rt_accept_init(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		RT_LOG(WARN, "file_limit_not_raised");
}

/* The first number of a file that no connection may have; numbers are given from the lowest on. */
static int first_kept(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT32_MAX)
		return INT32_MAX;
	return limit.rlim_cur > UINT64_C(2) * KEPT_FILES ? (int)limit.rlim_cur - KEPT_FILES
							 : KEPT_FILES;
}

/* One line a second, however many want in. */
static void log_refused(int error)
{
	static _Atomic int64_t logged_us;
	int64_t now_us = rt_clock_mono_us();
	int64_t last_us = atomic_load(&logged_us);
	if (now_us - last_us >= LOG_US &&
	    atomic_compare_exchange_strong(&logged_us, &last_us, now_us))
		RT_LOG(WARN, "connections_refused", RT_INT("error", error),
		       RT_INT("files_max", (int64_t)first_kept() + KEPT_FILES));
}

static int take(int listening, struct sockaddr *address, socklen_t *length, int flags)
{
	socklen_t room = length != NULL ? *length : 0;
	for (;;) {
		int file = (int)syscall(SYS_accept4, listening, address, length, flags);
		if (file < first_kept())
			return file;
		close(file);
		log_refused(0);
		if (length != NULL)
			*length = room;
	}
}

/* What is wrong with the listening socket itself, or is no failure. */
static bool is_final(int error)
{
	return error == EAGAIN || error == EINTR || error == ECONNABORTED || error == EBADF ||
	       error == EINVAL || error == ENOTSOCK || error == EFAULT;
}

int accept4(int listening, struct sockaddr *address, socklen_t *length, int flags)
{
	int file = take(listening, address, length, flags);
	if (file >= 0 || is_final(errno))
		return file;
	log_refused(errno);
	errno = EAGAIN;
	return -1;
}
