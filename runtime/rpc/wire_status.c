#include "rpc/wire_status.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "rpc/client_reasons.h"
#include "rpc/message.h"
#include "rt/arena.h"
#include "rt/cleanup.h"
#include "rt/text.h"

#define DOMAIN           "daler"
#define TYPE_PREFIX      "type.googleapis.com/google.rpc."
#define DETAILS_MAX      3
#define DETAIL_BYTES_MAX 512
#define REASONS_MAX      512
#define REASON_BYTES_MAX 64
#define UNPACK_BYTES_MAX ((size_t)64 * 1024)

void rt_wire_message(const struct rt_status *status, const struct rt_trace *trace,
		     char message[RT_WIRE_MESSAGE_BYTES])
{
	if (status->code != RT_INTERNAL) {
		snprintf(message, RT_WIRE_MESSAGE_BYTES, "%s", status->detail);
		return;
	}
	char id[33] = "";
	for (size_t i = 0; i < sizeof(trace->trace_id); i++)
		snprintf(id + 2 * i, 3, "%02x", trace->trace_id[i]);
	snprintf(message, RT_WIRE_MESSAGE_BYTES, "internal error; trace %s", id);
}

/* The details of one status while they are packed. */
struct packing {
	Google__Protobuf__Any any[DETAILS_MAX];
	Google__Protobuf__Any *list[DETAILS_MAX];
	uint8_t bytes[DETAILS_MAX][DETAIL_BYTES_MAX];
	size_t count;
};

static char *mutable_text(const char *text)
{
	/* protobuf-c's strings are not const, though packing only reads them. */
	union {
		const char *constant;
		char *plain;
	} pun = {.constant = text};
	return pun.plain;
}

static void add_detail(struct packing *packing, const char *type, const ProtobufCMessage *detail)
{
	size_t i = packing->count;
	if (protobuf_c_message_get_packed_size(detail) > DETAIL_BYTES_MAX)
		return;
	packing->any[i] = (Google__Protobuf__Any)GOOGLE__PROTOBUF__ANY__INIT;
	packing->any[i].type_url = mutable_text(type);
	packing->any[i].value.data = packing->bytes[i];
	packing->any[i].value.len = protobuf_c_message_pack(detail, packing->bytes[i]);
	packing->list[i] = &packing->any[i];
	packing->count++;
}

static void add_error_info(struct packing *packing, const struct rt_status *status)
{
	Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
	Google__Rpc__ErrorInfo__MetadataEntry entry = GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT;
	Google__Rpc__ErrorInfo__MetadataEntry *entries[] = {&entry};
	info.reason =
		mutable_text(status->reason != NULL ? status->reason : rt_code_name(status->code));
	info.domain = mutable_text(DOMAIN);
	if (status->code == RT_OUTCOME_UNKNOWN) { /* else it could not be told from UNAVAILABLE */
		entry.key = mutable_text("outcome");
		entry.value = mutable_text("unknown");
		info.n_metadata = 1;
		info.metadata = entries;
	}
	add_detail(packing, TYPE_PREFIX "ErrorInfo", &info.base);
}

static void add_bad_request(struct packing *packing, const struct rt_status *status)
{
	Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;
	Google__Rpc__BadRequest__FieldViolation violation =
		GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;
	Google__Rpc__BadRequest__FieldViolation *violations[] = {&violation};
	violation.field = mutable_text(status->field);
	violation.description = mutable_text(status->detail);
	bad.n_field_violations = 1;
	bad.field_violations = violations;
	add_detail(packing, TYPE_PREFIX "BadRequest", &bad.base);
}

static void add_retry_info(struct packing *packing, const struct rt_status *status)
{
	Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	delay.seconds = status->retry_after_ms / 1000;
	delay.nanos = (int32_t)(status->retry_after_ms % 1000 * 1000000);
	retry.retry_delay = &delay;
	add_detail(packing, TYPE_PREFIX "RetryInfo", &retry.base);
}

size_t rt_wire_status_pack(const struct rt_status *status, const char *message,
			   uint8_t bytes[RT_WIRE_STATUS_BYTES_MAX])
{
	struct packing packing;
	packing.count = 0;
	add_error_info(&packing, status);
	if (status->field[0] != '\0' && status->code != RT_INTERNAL)
		add_bad_request(&packing, status);
	if (status->retry_after_ms > 0)
		add_retry_info(&packing, status);
	Google__Rpc__Status wire = GOOGLE__RPC__STATUS__INIT;
	wire.code = rt_code_grpc(status->code);
	wire.message = mutable_text(message);
	wire.n_details = packing.count;
	wire.details = packing.list;
	if (protobuf_c_message_get_packed_size(&wire.base) > RT_WIRE_STATUS_BYTES_MAX)
		return 0;
	return protobuf_c_message_pack(&wire.base, bytes);
}

/* The word's own storage in a list that ends with NULL; NULL when it is not in it. */
static const char *find_word(const char *const *words, const char *word)
{
	while (*words != NULL && strcmp(*words, word) != 0)
		words++;
	return *words;
}

/* Received reasons get static storage by being kept; a peer that makes up ever new ones gets a
 * common one. */
static const char *keep_reason(const char *reason)
{
	static pthread_mutex_t mutex =
		PTHREAD_MUTEX_INITIALIZER; /* a leaf: nothing is called under it */
	static char kept[REASONS_MAX][REASON_BYTES_MAX];
	static size_t count;
	size_t length = strspn(reason, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	if (length == 0 || reason[length] != '\0' || length >= REASON_BYTES_MAX)
		return "REMOTE_ERROR";
	pthread_mutex_lock(&mutex);
	size_t i = 0;
	while (i < count && strcmp(kept[i], reason) != 0)
		i++;
	if (i == count && count < REASONS_MAX)
		memcpy(kept[count++], reason, length + 1);
	const char *result = i < count ? kept[i] : "REMOTE_ERROR";
	pthread_mutex_unlock(&mutex);
	return result;
}

static const ProtobufCMessage *unpack_any(const Google__Protobuf__Any *any,
					  const ProtobufCMessageDescriptor *descriptor,
					  struct rt_arena *arena)
{
	const ProtobufCMessage *message = NULL;
	struct rt_status status =
		rt_message_unpack(descriptor, any->value.data, any->value.len, arena, &message);
	return rt_is_ok(&status) ? message : NULL;
}

/* One peer may have filled the table with words of its own: those that decide are not looked for
 * there. And what this side says of calls that it did not make means something else in a peer's
 * mouth. */
static const char *read_reason(const char *reason, const char *const *reasons)
{
	static const char *const our_own[] = {RT_REASON_BREAKER_OPEN, RT_REASON_CLIENT_STOPPING,
					      NULL};
	const char *known = reasons != NULL ? find_word(reasons, reason) : NULL;
	if (known != NULL)
		return known;
	return find_word(our_own, reason) == NULL ? keep_reason(reason) : "REMOTE_ERROR";
}

static void read_error_info(const Google__Rpc__ErrorInfo *info, const char *const *reasons,
			    struct rt_status *status, bool *from_service)
{
	if (info == NULL || strcmp(info->domain, DOMAIN) != 0)
		return;
	*from_service = true;
	status->reason = read_reason(info->reason, reasons);
	for (size_t i = 0; i < info->n_metadata; i++) {
		bool unknown = strcmp(info->metadata[i]->key, "outcome") == 0 &&
			       strcmp(info->metadata[i]->value, "unknown") == 0;
		if (unknown && status->code == RT_UNAVAILABLE)
			status->code = RT_OUTCOME_UNKNOWN;
	}
}

static void read_bad_request(const Google__Rpc__BadRequest *bad, struct rt_status *status)
{
	if (bad == NULL || bad->n_field_violations == 0)
		return;
	snprintf(status->field, sizeof(status->field), "%s", bad->field_violations[0]->field);
	rt_text_tidy(status->field);
}

static void read_retry_info(const Google__Rpc__RetryInfo *retry, struct rt_status *status)
{
	const int64_t seconds_max = 3600;
	if (retry == NULL || retry->retry_delay == NULL)
		return;
	int64_t seconds = retry->retry_delay->seconds;
	if (seconds < 0 || seconds > seconds_max || retry->retry_delay->nanos < 0)
		return;
	status->retry_after_ms = seconds * 1000 + retry->retry_delay->nanos / 1000000;
}

static void read_detail(const Google__Protobuf__Any *any, const char *const *reasons,
			struct rt_arena *arena, struct rt_status *status, bool *from_service)
{
	const void *message = NULL;
	if (strcmp(any->type_url, TYPE_PREFIX "ErrorInfo") == 0) {
		message = unpack_any(any, &google__rpc__error_info__descriptor, arena);
		read_error_info(message, reasons, status, from_service);
	} else if (strcmp(any->type_url, TYPE_PREFIX "BadRequest") == 0) {
		message = unpack_any(any, &google__rpc__bad_request__descriptor, arena);
		read_bad_request(message, status);
	} else if (strcmp(any->type_url, TYPE_PREFIX "RetryInfo") == 0) {
		message = unpack_any(any, &google__rpc__retry_info__descriptor, arena);
		read_retry_info(message, status);
	}
}

struct rt_status rt_wire_status_unpack(int grpc_code, const char *message, const uint8_t *bytes,
				       size_t length, const char *const *reasons,
				       bool *from_service)
{
	enum rt_code code = rt_code_from_grpc(grpc_code);
	struct rt_status status =
		rt_status_make(code, rt_code_name(code), __FILE__, __LINE__, "%s", message);
	*from_service = false;
	if (length == 0)
		return status;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	rt_arena_init(&arena, UNPACK_BYTES_MAX);
	const ProtobufCMessage *unpacked = NULL;
	struct rt_status readable = rt_message_unpack(&google__rpc__status__descriptor, bytes,
						      length, &arena, &unpacked);
	if (!rt_is_ok(&readable))
		return status;
	const Google__Rpc__Status *wire = (const Google__Rpc__Status *)unpacked;
	for (size_t i = 0; i < wire->n_details; i++)
		read_detail(wire->details[i], reasons, &arena, &status, from_service);
	return status;
}
