/* Takes what came with a call - certificate, metadata, deadline, load - to the decisions of
 * admission.c. */
#include <grpc/grpc_security.h>
#include <string.h>

#include "rpc/server_internal.h"
#include "rt/clock.h"
#include "rt/secret.h"
#include "rt/token.h"

#define AUTHORIZATION_BYTES_MAX 4096
/* A token: its text is a secret as long as it is valid. */
struct headers {
	char authorization[AUTHORIZATION_BYTES_MAX];
	char traceparent[RT_TRACEPARENT_BYTES + 8];
	bool authorized;
};

static void wipe_headers(struct headers *headers)
{
	if (headers->authorized)
		rt_wipe(headers->authorization, sizeof(headers->authorization));
}

static void read_headers(const grpc_metadata_array *metadata, struct headers *headers)
{
	headers->authorized = false;
	headers->traceparent[0] = '\0';
	for (size_t i = 0; i < metadata->count; i++) {
		const grpc_metadata *entry = &metadata->metadata[i];
		if (rt_slice_is(&entry->key, "authorization")) {
			rt_slice_text(&entry->value, headers->authorization,
				      sizeof(headers->authorization));
			/* Of two, whoever is in front of us may have looked at the other. */
			if (headers->authorized)
				headers->authorization[0] = '\0';
			headers->authorized = true;
		} else if (rt_slice_is(&entry->key, "traceparent")) {
			rt_slice_text(&entry->value, headers->traceparent,
				      sizeof(headers->traceparent));
		}
	}
}

static void read_peer_property(const grpc_auth_property *property, struct rt_peer *peer)
{
	if (strcmp(property->name, GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME) == 0) {
		peer->secure = strcmp(property->value, GRPC_TLS_TRANSPORT_SECURITY_TYPE) == 0 ||
			       strcmp(property->value, GRPC_SSL_TRANSPORT_SECURITY_TYPE) == 0;
	} else if (strcmp(property->name, GRPC_PEER_URI_PROPERTY_NAME) == 0) {
		peer->uris++;
	} else if (strcmp(property->name, GRPC_PEER_SPIFFE_ID_PROPERTY_NAME) == 0) {
		peer->spiffe_ids++;
		size_t length = property->value_length;
		/* An id that is cut, or has a NUL inside, must not become another one. */
		bool whole = length < sizeof(peer->spiffe_id) &&
			     memchr(property->value, 0, length) == NULL;
		memcpy(peer->spiffe_id, property->value, whole ? length : 0);
		peer->spiffe_id[whole ? length : 0] = '\0';
	}
}

static void read_peer(grpc_call *call, struct rt_peer *peer)
{
	*peer = (struct rt_peer){0};
	grpc_auth_context *context = grpc_call_auth_context(call);
	if (context == NULL)
		return;
	grpc_auth_property_iterator properties = grpc_auth_context_property_iterator(context);
	const grpc_auth_property *property = grpc_auth_property_iterator_next(&properties);
	while (property != NULL) {
		read_peer_property(property, peer);
		property = grpc_auth_property_iterator_next(&properties);
	}
	grpc_auth_context_release(context);
}

static int64_t caller_left_us(gpr_timespec deadline)
{
	if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0)
		return RT_NO_DEADLINE;
	gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
	return left.tv_sec * RT_US_PER_S + left.tv_nsec / 1000;
}

static struct rt_status admit_caller(struct rt_call *call, uint64_t callers)
{
	read_peer(call->grpc, &call->peer);
	RT_TRY(rt_admit_peer(&call->peer, call->server->common->trust_domain,
			     &call->caller.identity));
	call->caller_known = true;
	return rt_admit_identity(callers, call->caller.identity);
}

/* Who may do with and without a token is told by the role that is left in the caller. A token that
 * is shown is never ignored: who sends a bad one learns it, wherever tokens can be verified. */
static struct rt_status admit_token(struct rt_call *call, const struct headers *headers,
				    uint32_t roles)
{
	RT_TRY(rt_admit_token(roles, headers->authorized));
	const struct rt_token_verifier *tokens = call->server->tokens;
	if (!headers->authorized || (tokens == NULL && (roles & RT_ROLE_NONE) != 0))
		return rt_ok();
	const char *token = rt_admit_bearer(headers->authorization);
	if (token == NULL)
		return RT_FAIL(UNAUTHENTICATED, "INVALID_TOKEN",
			       "authorization is not a bearer token");
	if (tokens == NULL)
		return RT_FAIL(UNAVAILABLE, "KEYS_UNAVAILABLE", "tokens can't be verified here");
	RT_TRY(rt_token_verify(tokens, token, rt_clock_wall_us(), &call->caller));
	return rt_admit_role(roles, call->caller.role);
}

static struct rt_status admit_load(struct rt_call *call)
{
	struct rt_server *server = call->server;
	if (atomic_load(&server->phase) != RT_SERVER_SERVING)
		return RT_FAIL(UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down");
	if (call->served->internal)
		return rt_ok();
	call->loaded =
		rt_share_take(&server->load, call->caller.identity, 1, server->common->queue_max);
	return call->loaded ? rt_ok() : rt_shed(call, "calls");
}

static void begin_trace(struct rt_call *call, const struct headers *headers)
{
	bool given = headers->traceparent[0] != '\0';
	if (!given || !rt_trace_accept(headers->traceparent, &call->trace))
		call->trace = rt_trace_new();
}

static struct rt_status admit_method(struct rt_call *call, const struct headers *headers)
{
	const struct rt_method *method = call->served->method;
	if (method == NULL) {
		RT_TRY(admit_caller(call, UINT64_MAX));
		return RT_FAIL(UNIMPLEMENTED, "METHOD_UNKNOWN", "there is no such method");
	}
	RT_TRY(admit_caller(call, method->callers));
	RT_TRY(admit_load(call));
	RT_TRY(rt_admit_bytes(call, &call->payload));
	if (call->deadline_us <= call->arrived_us)
		return RT_FAIL(DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
			       "the deadline had passed on arrival");
	uint32_t roles = rt_allowed_roles(method->callers, call->caller.identity);
	RT_TRY(admit_token(call, headers, roles));
	return rt_admit_stream(call);
}

static void count_denied(const struct rt_call *call, const struct rt_status *status)
{
	if (status->code != RT_UNAUTHENTICATED && status->code != RT_PERMISSION_DENIED)
		return;
	struct rt_server *server = call->server;
	struct rt_series *series = server->denied_token;
	if (strncmp(status->reason, "IDENTITY", 8) == 0)
		series = server->denied_identity;
	else if (strcmp(status->reason, "ROLE_DENIED") == 0)
		series = server->denied_role;
	rt_series_add(series, 1);
}

/* A stream may last, but no longer than its caller may be believed. */
static void end_with_token(struct rt_call *call)
{
	if (!rt_call_is_stream(call) || call->caller.ends_wall_us == 0)
		return;
	int64_t end_us = call->arrived_us + (call->caller.ends_wall_us - rt_clock_wall_us());
	if (end_us >= call->deadline_us)
		return;
	call->deadline_us = end_us;
	call->ends_with_token = true;
}

struct rt_status rt_call_admit(struct rt_call *call)
{
	CLEANUP(wipe_headers) struct headers headers;
	read_headers(&call->metadata, &headers);
	begin_trace(call, &headers);
	int64_t limit_ms =
		call->served->method != NULL ? call->served->method->deadline_ms_max : 1000;
	call->deadline_us = rt_admit_deadline_us(call->arrived_us,
						 caller_left_us(call->grpc_deadline), limit_ms);
	struct rt_status status = admit_method(call, &headers);
	end_with_token(call);
	count_denied(call, &status);
	return status;
}
