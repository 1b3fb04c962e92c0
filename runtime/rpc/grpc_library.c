#include "rpc/grpc_library.h"

#include <dlfcn.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/accept.h"
#include "rt/clock.h"
#include "rt/log.h"

/* A peer that can't get in tries again and again: so many lines in a second are enough, the rest
 * are counted. */
#define LINES_PER_SECOND 10

static _Atomic int64_t window_start_us;
static _Atomic int64_t window_lines;
static _Atomic int64_t suppressed;

static bool may_log(void)
{
	int64_t now_us = rt_clock_mono_us();
	int64_t start_us = atomic_load(&window_start_us);
	if (now_us - start_us >= RT_US_PER_S &&
	    atomic_compare_exchange_strong(&window_start_us, &start_us, now_us))
		atomic_store(&window_lines, 0);
	if (atomic_fetch_add(&window_lines, 1) < LINES_PER_SECOND)
		return true;
	atomic_fetch_add(&suppressed, 1);
	return false;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* What OpenSSL said when a handshake failed: no certificate, one of another authority, an expired
 * one. Both sides of a process speak here; only the server's side is about somebody who wants in,
 * but neither names the peer. */
static bool is_handshake(const char *message)
{
	return strstr(message, "andshak") != NULL;
}

static void write_line(enum rt_log_level level, const char *event, const gpr_log_func_args *args)
{
	if (!may_log())
		return;
	const struct rt_field fields[] = {
		RT_TEXT("message", args->message),
		RT_TEXT("file", file_name(args->file)),
		RT_INT("line", args->line),
		RT_INT("suppressed", atomic_exchange(&suppressed, 0)),
	};
	rt_log_write(level, event, fields, sizeof(fields) / sizeof(fields[0]));
}

static void log_line(gpr_log_func_args *args)
{
	if (is_handshake(args->message)) {
		write_line(RT_LOG_WARN, "tls_handshake_failed", args);
		return;
	}
	enum rt_log_level level =
		args->severity == GPR_LOG_SEVERITY_ERROR ? RT_LOG_WARN : RT_LOG_DEBUG;
	if (rt_log_enabled(level))
		write_line(level, "grpc", args);
}

/* gRPC's own threads may be in the middle of a handshake when main returns, and OpenSSL would take
 * its tables away under them: it is told, before anybody uses it, to leave that to the kernel. */
__attribute__((constructor)) static void keep_openssl(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

/* While a client's calls fail at once there is none whose waiting moves a new connection's
 * handshake on: that is left to gRPC's backup poller, whose own 5 s are longer than a reconnection
 * may take. */
#define BACKUP_POLL_MS "100"

/* Abseil is built by Debian with its debugging aid: each lock of gRPC's is entered into a graph,
 * and a cycle in it reported. That costs a twentieth of a call, and is told to stop by the C++
 * function SetMutexDeadlockDetectionMode(kIgnore); an Abseil without it needs no telling. */
static void stop_lock_graph(void)
{
	static const char name[] =
		"_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE";
	union {
		void *symbol;
		void (*set_mode)(int mode);
	} found = {.symbol = dlsym(RTLD_DEFAULT, name)};
	if (found.symbol != NULL)
		found.set_mode(0);
}

static void prepare(void)
{
	setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", BACKUP_POLL_MS, 0);
	stop_lock_graph();
	rt_accept_init();
	gpr_set_log_function(log_line);
	gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
}

void rt_grpc_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, prepare);
	grpc_init();
}

void rt_grpc_stop(void)
{
	grpc_shutdown();
}
