/* limit: what a person may deposit and lose, and the calendar of a ledger. */
#include <daler/payments/v1/limits.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "limits.h"
#include "link.h"
#include "show.h"

#define PAYMENTS "daler.payments.v1.LimitsService"

static struct rt_status word_take(struct ctl *ctl, const char *flag, const char *const *names,
				  size_t count, int *number)
{
	const char *text = flag_text(ctl, flag);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, names[i]) == 0) {
			*number = (int)i + 1;
			return rt_ok();
		}
	}
	return CTL_USAGE_ERROR("there is no %s '%.40s'; see --help", flag, text);
}

static const char *amount_text(struct ctl *ctl, const Daler__Payments__V1__LimitAmount *limit,
			       const char *currency)
{
	return limit != NULL ? show_amount(ctl, limit->amount_minor, currency) : "none";
}

static const char *measure_text(Daler__Payments__V1__LimitMeasure measure)
{
	return show_enum(&daler__payments__v1__limit_measure__descriptor, (int)measure,
			 "LIMIT_MEASURE_");
}

static const char *period_text(Daler__Payments__V1__LimitPeriod period)
{
	return show_enum(&daler__payments__v1__limit_period__descriptor, (int)period,
			 "LIMIT_PERIOD_");
}

static void limits_init(struct ctl *ctl, struct table *table)
{
	TABLE_HEADS(table, &ctl->arena, "CURRENCY", "MEASURE", "PERIOD", ">LIMIT", ">USED", ">LEFT",
		    "UNTIL", ">THEN", "FROM");
}

static void add_limit(struct ctl *ctl, struct table *table,
		      const Daler__Payments__V1__PersonLimit *limit)
{
	const Daler__Payments__V1__PendingLimit *pending = limit->pending;
	TABLE_ROW(table, limit->currency, measure_text(limit->measure), period_text(limit->period),
		  amount_text(ctl, limit->limit, limit->currency),
		  show_amount(ctl, limit->used_minor, limit->currency),
		  limit->limit != NULL ? show_amount(ctl, limit->left_minor, limit->currency) : "",
		  show_time(ctl, limit->period_end),
		  pending != NULL ? amount_text(ctl, pending->limit, limit->currency) : "",
		  pending != NULL ? show_time(ctl, pending->effective_time) : "");
}

static struct rt_status set_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		PAYMENTS, PAYMENTS, "SetLimit", daler__payments__v1__set_limit_response);
	static const char *const measures[] = {"deposits", "losses"};
	static const char *const periods[] = {"day", "week", "month"};
	Daler__Payments__V1__SetLimitRequest request;
	daler__payments__v1__set_limit_request__init(&request);
	Daler__Payments__V1__LimitAmount amount;
	daler__payments__v1__limit_amount__init(&amount);
	const ProtobufCMessage *reply = NULL;
	int measure = 0;
	int period = 0;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	request.person_id = flag_text(ctl, "person");
	request.currency = flag_text(ctl, "currency");
	RT_TRY(word_take(ctl, "measure", measures, CTL_COUNT(measures), &measure));
	RT_TRY(word_take(ctl, "period", periods, CTL_COUNT(periods), &period));
	request.measure = (Daler__Payments__V1__LimitMeasure)measure;
	request.period = (Daler__Payments__V1__LimitPeriod)period;
	request.reason = flag_text_or(ctl, "reason", request.reason);
	if (strcmp(flag_text(ctl, "amount"), "none") != 0) {
		RT_TRY(flag_minor(ctl, "amount", request.currency, &amount.amount_minor));
		request.limit = &amount;
	}
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Payments__V1__SetLimitResponse *answer = (const void *)reply;
	if (show_is_json(ctl)) {
		show_json(reply);
	} else if (answer->limit != NULL) {
		struct table table;
		limits_init(ctl, &table);
		add_limit(ctl, &table, answer->limit);
		table_print(&table, stdout);
	}
	return rt_ok();
}

static struct rt_status list_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		PAYMENTS, PAYMENTS, "ListLimits", daler__payments__v1__list_limits_response);
	Daler__Payments__V1__ListLimitsRequest request;
	daler__payments__v1__list_limits_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	request.person_id = flag_text(ctl, "person");
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl)) {
		show_json(reply);
		return rt_ok();
	}
	const Daler__Payments__V1__ListLimitsResponse *answer = (const void *)reply;
	struct table table;
	limits_init(ctl, &table);
	for (size_t i = 0; i < answer->n_limits; i++)
		add_limit(ctl, &table, answer->limits[i]);
	table_print(&table, stdout);
	return rt_ok();
}

/* What a change was about, in a few words. */
static const char *change_text(struct ctl *ctl, const Daler__Payments__V1__LimitChange *change)
{
	char text[256];
	if (change->currency[0] == '\0')
		return change->market;
	snprintf(text, sizeof(text), "%s a %s: %s", measure_text(change->measure),
		 period_text(change->period), amount_text(ctl, change->limit, change->currency));
	const char *kept = rt_arena_strdup(&ctl->arena, text);
	return kept == NULL ? "" : kept;
}

static struct rt_status changes_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(PAYMENTS, PAYMENTS, "ListLimitChanges",
			    daler__payments__v1__list_limit_changes_response);
	Daler__Payments__V1__ListLimitChangesRequest request;
	daler__payments__v1__list_limit_changes_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	int64_t page_size = 0;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	request.person_id = flag_text_or(ctl, "person", request.person_id);
	RT_TRY(flag_int(ctl, "page-size", 0, &page_size));
	request.page_size = (int32_t)page_size;
	request.page_token = flag_text_or(ctl, "page-token", request.page_token);
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl)) {
		show_json(reply);
		return rt_ok();
	}
	const Daler__Payments__V1__ListLimitChangesResponse *answer = (const void *)reply;
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "TIME", "ACTION", "WHAT", "FROM/UNTIL", "WHO", "USER",
		    "WHY");
	for (size_t i = 0; i < answer->n_changes; i++) {
		const Daler__Payments__V1__LimitChange *change = answer->changes[i];
		TABLE_ROW(&table, show_time(ctl, change->create_time), change->action,
			  change_text(ctl, change),
			  change->effective_time != NULL ? show_time(ctl, change->effective_time)
							 : "for ever",
			  change->identity, change->user_id, change->reason);
	}
	table_print(&table, stdout);
	show_more(answer->next_page_token);
	return rt_ok();
}

static void show_market(struct ctl *ctl, const ProtobufCMessage *reply,
			const Daler__Payments__V1__Market *market)
{
	if (show_is_json(ctl)) {
		show_json(reply);
		return;
	}
	if (market == NULL)
		return;
	struct table table;
	show_record_init(ctl, &table);
	TABLE_ROW(&table, "ledger", market->ledger_id);
	TABLE_ROW(&table, "time zone", market->time_zone);
	TABLE_ROW(&table, "week from day", show_int(ctl, market->week_start));
	TABLE_ROW(&table, "cooling-off, s", show_int(ctl, market->cooling_off_s));
	table_print(&table, stdout);
}

static struct rt_status market_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		PAYMENTS, PAYMENTS, "GetMarket", daler__payments__v1__get_market_response);
	Daler__Payments__V1__GetMarketRequest request;
	daler__payments__v1__get_market_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	show_market(ctl, reply,
		    ((const Daler__Payments__V1__GetMarketResponse *)(const void *)reply)->market);
	return rt_ok();
}

static struct rt_status set_market_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		PAYMENTS, PAYMENTS, "SetMarket", daler__payments__v1__set_market_response);
	Daler__Payments__V1__SetMarketRequest request;
	daler__payments__v1__set_market_request__init(&request);
	Daler__Payments__V1__Market market;
	daler__payments__v1__market__init(&market);
	const ProtobufCMessage *reply = NULL;
	int64_t week_start = 0;
	RT_TRY(flag_id(ctl, "ledger", &market.ledger_id));
	market.time_zone = flag_text(ctl, "time-zone");
	RT_TRY(flag_int(ctl, "week-start", 1, &week_start));
	RT_TRY(flag_int(ctl, "cooling-off", 0, &market.cooling_off_s));
	market.week_start = week_start >= 0 && week_start <= 7 ? (int32_t)week_start : 0;
	request.market = &market;
	request.reason = flag_text(ctl, "reason");
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	show_market(ctl, reply,
		    ((const Daler__Payments__V1__SetMarketResponse *)(const void *)reply)->market);
	return rt_ok();
}

static const struct flag set_flags[] = {
	LIMITS_LEDGER_FLAG,
	LIMITS_PERSON_FLAG,
	{"currency", NULL, "CODE", FLAG_REQUIRED, "ISO 4217"},
	{"measure", NULL, "NAME", FLAG_REQUIRED, "deposits or losses"},
	{"period", NULL, "NAME", FLAG_REQUIRED, "day, week or month"},
	{"amount", NULL, "AMOUNT", FLAG_REQUIRED, "the limit, or none"},
	LIMITS_REASON_FLAG,
};

static const struct flag list_flags[] = {LIMITS_LEDGER_FLAG, LIMITS_PERSON_FLAG};

static const struct flag changes_flags[] = {
	LIMITS_LEDGER_FLAG,
	{"person", "person-id", "ID", FLAG_OPTIONAL, "the person; without, the market itself"},
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
};

static const struct flag market_flags[] = {LIMITS_LEDGER_FLAG};

static const struct flag set_market_flags[] = {
	LIMITS_LEDGER_FLAG,
	{"time-zone", NULL, "NAME", FLAG_REQUIRED, "IANA's, such as Europe/Berlin"},
	{"week-start", NULL, "N", FLAG_OPTIONAL, "1 Monday to 7 Sunday (default 1)"},
	{"cooling-off", NULL, "S", FLAG_REQUIRED, "seconds that a raise of a limit waits"},
	{"reason", NULL, "TEXT", FLAG_REQUIRED, "why; it is kept"},
};

#define LIMIT_COMMAND(name, purpose_text, run_name)                                                \
	{                                                                                          \
		.verb = (name), .purpose = (purpose_text), .flags = run_name##_flags,              \
		.flag_count = CTL_COUNT(run_name##_flags), .run = run_name##_run                   \
	}

static const struct command limit_commands[] = {
	LIMIT_COMMAND("set", "set a limit: a lower one counts at once, a higher one later", set),
	LIMIT_COMMAND("list", "a person's limits, with what is used and left", list),
	LIMIT_COMMAND("changes", "who changed what about a person, newest first", changes),
	LIMIT_COMMAND("market", "the calendar of a ledger", market),
	LIMIT_COMMAND("set-market", "set the calendar of a ledger, and how long raises wait",
		      set_market),
};

const struct command_group ctl_limit_group = {"limit",
					      "Limits: what a person may deposit and lose.",
					      limit_commands, CTL_COUNT(limit_commands)};
