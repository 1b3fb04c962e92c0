/* Assertions that are always on, for programmer errors only: what a peer, a file or a database
 * sends returns a status. */
#pragma once

/* Logs the condition with its place and aborts. */
__attribute__((noreturn)) void rt_assert_failed(const char *condition, const char *file, int line);

#define RT_ASSERT(condition)                                                                       \
	((condition) ? (void)0 : rt_assert_failed(#condition, __FILE__, __LINE__))
