#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/secret.h"
#include "rt/tls.h"

/* One try may take this long; a service that is stuck is asked again, with the same request. */
#define TRY_US_MAX   (10 * RT_US_PER_S)
#define PAUSE_US_MIN (100 * RT_US_PER_MS)
#define PAUSE_US_MAX RT_US_PER_S

struct link {
	struct rt_client *client;
	struct rt_channel *channels[LINK_TARGET_COUNT];
	struct rt_secret token;
	struct rt_trace trace;
};

static const struct target {
	const char *name;
	enum setting_index address;
	enum rt_identity identity;
} targets[LINK_TARGET_COUNT] = {
	[LINK_AUTH] = {"auth", SETTING_AUTH_ADDR, RT_ID_AUTH},
	[LINK_ACCOUNTS] = {"accounts", SETTING_ACCOUNTS_ADDR, RT_ID_ACCOUNTS},
	[LINK_PAYMENTS] = {"payments", SETTING_PAYMENTS_ADDR, RT_ID_PAYMENTS},
	[LINK_CONNECTOR] = {"connector", SETTING_CONNECTOR_ADDR, RT_ID_CONNECTOR},
};

/* A setting that the connection needs. */
static struct rt_status setting_need(const struct ctl *ctl, enum setting_index index)
{
	const struct setting *setting = &ctl_settings[index];
	if (ctl->settings[index] != NULL)
		return rt_ok();
	return CTL_USAGE_ERROR("--%s (or %s) is not set; eval \"$(./daler env)\" sets it",
			       setting->flag.name, setting->variable);
}

static struct rt_status token_read(const struct ctl *ctl, struct rt_secret *token)
{
	if (ctl->settings[SETTING_TOKEN_FILE] != NULL)
		return rt_secret_read_file(ctl->settings[SETTING_TOKEN_FILE], token);
	const char *text = getenv("DALER_TOKEN");
	if (text != NULL && text[0] != '\0')
		*token = rt_secret_copy(text, strlen(text));
	return rt_ok();
}

static struct rt_status link_open(struct ctl *ctl)
{
	if (ctl->link != NULL)
		return rt_ok();
	RT_TRY(setting_need(ctl, SETTING_CA));
	RT_TRY(setting_need(ctl, SETTING_CERT));
	RT_TRY(setting_need(ctl, SETTING_CERT_KEY));
	const struct rt_tls tls = {
		.cert = ctl->settings[SETTING_CERT],
		.key = ctl->settings[SETTING_CERT_KEY],
		.ca = ctl->settings[SETTING_CA],
		.trust_domain = ctl->settings[SETTING_TRUST_DOMAIN],
		.reload_ms = 60000,
	};
	ctl->link = rt_arena_alloc(&ctl->arena, sizeof(*ctl->link));
	RT_ASSERT(ctl->link != NULL);
	ctl->link->trace = rt_trace_new();
	RT_TRY(token_read(ctl, &ctl->link->token));
	return rt_client_new(&tls, &ctl->link->client);
}

static struct rt_status link_channel(struct ctl *ctl, enum link_target target,
				     struct rt_channel **channel)
{
	RT_TRY(setting_need(ctl, targets[target].address));
	RT_TRY(link_open(ctl));
	if (ctl->link->channels[target] == NULL)
		RT_TRY(rt_channel_new(ctl->link->client, ctl->settings[targets[target].address],
				      targets[target].identity, &ctl->link->channels[target]));
	*channel = ctl->link->channels[target];
	return rt_ok();
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
	return a_us < b_us ? a_us : b_us;
}

static void tell_patience(const struct ctl *ctl, enum link_target target,
			  const struct rt_status *status)
{
	int64_t left_us = ctl->deadline_mono_us - rt_clock_mono_us();
	fprintf(stderr, "dalerctl: %s at %s: %s%s%s; asking again for up to %lld s\n",
		targets[target].name, ctl->settings[targets[target].address],
		status->reason != NULL ? status->reason : rt_code_name(status->code),
		status->detail[0] ? ": " : "", status->detail, (long long)(left_us / RT_US_PER_S));
}

/* The same request will never pass: the caller must look again. */
static bool is_stale(const struct rt_status *status)
{
	return status->reason != NULL && strcmp(status->reason, "VERSION_CONFLICT") == 0;
}

/* It asks for a wait that goes beyond our time. */
static bool is_later(const struct ctl *ctl, const struct rt_status *status)
{
	return rt_clock_mono_us() + status->retry_after_ms * RT_US_PER_MS >= ctl->deadline_mono_us;
}

struct rt_status link_call(struct ctl *ctl, const struct link_method *method,
			   const ProtobufCMessage *request, const ProtobufCMessage **reply)
{
	struct rt_channel *channel = NULL;
	RT_TRY(link_channel(ctl, method->target, &channel));
	struct rt_call_options options = {
		.trace = &ctl->link->trace,
		.bearer = method->anonymous || ctl->link->token.length == 0
				  ? NULL
				  : rt_secret_bytes(&ctl->link->token),
	};
	bool told = false;
	for (int64_t pause_us = PAUSE_US_MIN;; pause_us = earlier(pause_us * 2, PAUSE_US_MAX)) {
		int64_t now_us = rt_clock_mono_us();
		options.deadline_mono_us = earlier(ctl->deadline_mono_us, now_us + TRY_US_MAX);
		struct rt_status status = rt_channel_call(channel, &method->remote, request,
							  &options, &ctl->arena, reply);
		if (!rt_code_retryable(status.code) || is_stale(&status))
			return status;
		if (status.retry_after_ms * RT_US_PER_MS > pause_us)
			pause_us = earlier(status.retry_after_ms * RT_US_PER_MS, PAUSE_US_MAX);
		if (rt_clock_mono_us() + pause_us >= ctl->deadline_mono_us ||
		    is_later(ctl, &status))
			return status;
		if (!told)
			tell_patience(ctl, method->target, &status);
		told = true;
		rt_clock_sleep_us(pause_us);
	}
}

struct rt_status link_stream(struct ctl *ctl, const struct link_method *method,
			     const ProtobufCMessage *request,
			     void (*message)(void *context, const ProtobufCMessage *reply),
			     void *context)
{
	struct rt_channel *channel = NULL;
	RT_TRY(link_channel(ctl, method->target, &channel));
	const struct rt_call_options options = {
		.deadline_mono_us = ctl->deadline_mono_us,
		.trace = &ctl->link->trace,
		.bearer = ctl->link->token.length == 0 ? NULL : rt_secret_bytes(&ctl->link->token),
	};
	return rt_channel_stream(channel, &method->remote, request, &options, message, context);
}

void link_close(struct ctl *ctl)
{
	if (ctl->link == NULL)
		return;
	if (ctl->link->client != NULL)
		rt_client_stop(ctl->link->client);
	for (size_t i = 0; i < LINK_TARGET_COUNT; i++) {
		if (ctl->link->channels[i] != NULL)
			rt_channel_destroy(ctl->link->channels[i]);
	}
	if (ctl->link->client != NULL)
		rt_client_destroy(ctl->link->client);
	rt_secret_deinit(&ctl->link->token);
	ctl->link = NULL;
}
