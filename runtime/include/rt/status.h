/* The result of whatever can fail: passed by value, never ignored. Any layer may include this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One row a code: name, gRPC status code, log level of a call that ends with it, whether trying
 * again can help. */
#define RT_CODES(ROW)                                                                              \
	ROW(OK, 0, DEBUG, false)                                                                   \
	ROW(CANCELLED, 1, INFO, false)                                                             \
	ROW(INVALID_ARGUMENT, 3, INFO, false)                                                      \
	ROW(DEADLINE_EXCEEDED, 4, WARN, true)                                                      \
	ROW(NOT_FOUND, 5, INFO, false)                                                             \
	ROW(ALREADY_EXISTS, 6, INFO, false)                                                        \
	ROW(PERMISSION_DENIED, 7, WARN, false)                                                     \
	ROW(RESOURCE_EXHAUSTED, 8, WARN, true)                                                     \
	ROW(FAILED_PRECONDITION, 9, INFO, false)                                                   \
	ROW(ABORTED, 10, INFO, true)                                                               \
	ROW(UNIMPLEMENTED, 12, INFO, false)                                                        \
	ROW(INTERNAL, 13, ERROR, false)                                                            \
	ROW(UNAVAILABLE, 14, WARN, true)                                                           \
	ROW(UNAUTHENTICATED, 16, WARN, false)                                                      \
	/* Sent, but whether it took effect is not known: never a failure; callers see             \
	 * UNAVAILABLE. */                                                                         \
	ROW(OUTCOME_UNKNOWN, 14, ERROR, true)

enum rt_code {
#define RT_CODE_ENUM(name, grpc, level, retry) RT_##name,
	RT_CODES(RT_CODE_ENUM)
#undef RT_CODE_ENUM
};

/* What happened. `reason` is stable and UPPER_SNAKE; `field` names the wrong field, when there is
 * one; `detail` is for people and carries no secret, SQL or path. */
struct [[nodiscard]] rt_status {
	enum rt_code code;
	int line;
	const char *reason;     /* static storage */
	const char *file;       /* static storage */
	int64_t retry_after_ms; /* 0: not said */
	char field[64];
	char detail[128];
};

/* Success. */
static inline struct rt_status rt_ok(void)
{
	return (struct rt_status){.code = RT_OK};
}

static inline bool rt_is_ok(const struct rt_status *status)
{
	return status->code == RT_OK;
}

/* Makes a status with a formatted detail, cut when too long. Use RT_FAIL. */
struct rt_status rt_status_make(enum rt_code code, const char *reason, const char *file, int line,
				const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Makes INVALID_ARGUMENT for one field. Use RT_BAD_FIELD. */
struct rt_status rt_status_field(const char *reason, const char *field, const char *file, int line,
				 const char *format, ...) __attribute__((format(printf, 5, 6)));

#define RT_FAIL(code, reason, ...)                                                                 \
	rt_status_make(RT_##code, reason, __FILE__, __LINE__, __VA_ARGS__)
#define RT_BAD_FIELD(reason, field, ...)                                                           \
	rt_status_field(reason, field, __FILE__, __LINE__, __VA_ARGS__)

/* Puts `prefix` before the status's field, as in "transfers[3]." + "amount_minor". */
struct rt_status rt_status_in(struct rt_status status, const char *prefix_format, ...)
	__attribute__((format(printf, 2, 3)));

/* Names the field that a status is about, whatever its code. */
struct rt_status rt_status_about(struct rt_status status, const char *field);

const char *rt_code_name(enum rt_code code); /* "NOT_FOUND" */
int rt_code_grpc(enum rt_code code);         /* 5 */
bool rt_code_retryable(enum rt_code code);
enum rt_code rt_code_from_grpc(int grpc_code); /* unknown numbers become INTERNAL */

/* Leaves the function with the status when it is not OK. */
#define RT_TRY(expression)                                                                         \
	do {                                                                                       \
		struct rt_status rt_try_ = (expression);                                           \
		if (rt_try_.code != RT_OK)                                                         \
			return rt_try_;                                                            \
	} while (0)
