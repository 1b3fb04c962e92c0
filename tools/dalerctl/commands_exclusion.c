/* exclusion: who may not deposit or wager, and until when. */
#include <daler/payments/v1/limits.pb-c.h>
#include <stdio.h>

#include "args.h"
#include "limits.h"
#include "link.h"
#include "rt/clock.h"
#include "show.h"

#define PAYMENTS "daler.payments.v1.LimitsService"

static const char *kind_text(Daler__Payments__V1__RestrictionKind kind)
{
	return show_enum(&daler__payments__v1__restriction_kind__descriptor, (int)kind,
			 "RESTRICTION_KIND_");
}

static void show_restrictions(struct ctl *ctl, const ProtobufCMessage *reply,
			      Daler__Payments__V1__Restriction *const *restrictions, size_t count)
{
	if (show_is_json(ctl)) {
		show_json(reply);
		return;
	}
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "RESTRICTION", "UNTIL");
	for (size_t i = 0; i < count; i++)
		TABLE_ROW(&table, kind_text(restrictions[i]->kind),
			  restrictions[i]->until != NULL ? show_time(ctl, restrictions[i]->until)
							 : "for ever");
	table_print(&table, stdout);
}

static struct rt_status until_take(struct ctl *ctl, Google__Protobuf__Timestamp *until)
{
	int64_t wall_us = 0;
	RT_TRY(flag_moment(ctl, "until", &wall_us));
	google__protobuf__timestamp__init(until);
	until->seconds = wall_us / RT_US_PER_S;
	until->nanos = (int32_t)(wall_us % RT_US_PER_S) * 1000;
	return rt_ok();
}

static struct rt_status set_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		PAYMENTS, PAYMENTS, "SelfExclude", daler__payments__v1__self_exclude_response);
	Daler__Payments__V1__SelfExcludeRequest request;
	daler__payments__v1__self_exclude_request__init(&request);
	Google__Protobuf__Timestamp until;
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	request.person_id = flag_text(ctl, "person");
	request.reason = flag_text_or(ctl, "reason", request.reason);
	if (flag_given(ctl, "until") == flag_given(ctl, "for-ever"))
		return CTL_USAGE_ERROR("one of --until and --for-ever is needed");
	if (flag_given(ctl, "until")) {
		RT_TRY(until_take(ctl, &until));
		request.end_case = DALER__PAYMENTS__V1__SELF_EXCLUDE_REQUEST__END_UNTIL;
		request.until = &until;
	} else {
		request.end_case = DALER__PAYMENTS__V1__SELF_EXCLUDE_REQUEST__END_FOR_EVER;
		request.for_ever = true;
	}
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Payments__V1__SelfExcludeResponse *answer = (const void *)reply;
	show_restrictions(ctl, reply, &answer->restriction, answer->restriction != NULL);
	return rt_ok();
}

static struct rt_status time_out_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(PAYMENTS, PAYMENTS, "TimeOut", daler__payments__v1__time_out_response);
	Daler__Payments__V1__TimeOutRequest request;
	daler__payments__v1__time_out_request__init(&request);
	Google__Protobuf__Timestamp until;
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	request.person_id = flag_text(ctl, "person");
	request.reason = flag_text_or(ctl, "reason", request.reason);
	RT_TRY(until_take(ctl, &until));
	request.until = &until;
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Payments__V1__TimeOutResponse *answer = (const void *)reply;
	show_restrictions(ctl, reply, &answer->restriction, answer->restriction != NULL);
	return rt_ok();
}

static struct rt_status list_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(PAYMENTS, PAYMENTS, "ListRestrictions",
			    daler__payments__v1__list_restrictions_response);
	Daler__Payments__V1__ListRestrictionsRequest request;
	daler__payments__v1__list_restrictions_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	request.person_id = flag_text(ctl, "person");
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Payments__V1__ListRestrictionsResponse *answer = (const void *)reply;
	show_restrictions(ctl, reply, answer->restrictions, answer->n_restrictions);
	return rt_ok();
}

static struct rt_status lift_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(PAYMENTS, PAYMENTS, "LiftSelfExclusion",
			    daler__payments__v1__lift_self_exclusion_response);
	Daler__Payments__V1__LiftSelfExclusionRequest request;
	daler__payments__v1__lift_self_exclusion_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	request.person_id = flag_text(ctl, "person");
	request.reason = flag_text(ctl, "reason");
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		printf("no self-exclusion keeps %s from playing\n", request.person_id);
	return rt_ok();
}

static const struct flag set_flags[] = {
	LIMITS_LEDGER_FLAG,
	LIMITS_PERSON_FLAG,
	{"until", NULL, "TIME", FLAG_OPTIONAL, "UTC, such as 2027-01-31 or 2027-01-31T12:00:00Z"},
	{"for-ever", NULL, NULL, FLAG_OPTIONAL, "instead of --until"},
	LIMITS_REASON_FLAG,
};

static const struct flag time_out_flags[] = {
	LIMITS_LEDGER_FLAG,
	LIMITS_PERSON_FLAG,
	{"until", NULL, "TIME", FLAG_REQUIRED, "UTC, at most 42 days away"},
	LIMITS_REASON_FLAG,
};

static const struct flag list_flags[] = {LIMITS_LEDGER_FLAG, LIMITS_PERSON_FLAG};

static const struct flag lift_flags[] = {
	LIMITS_LEDGER_FLAG,
	LIMITS_PERSON_FLAG,
	{"reason", NULL, "TEXT", FLAG_REQUIRED, "why, and how the person asked for it; it is kept"},
};

static const struct command exclusion_commands[] = {
	{.verb = "set",
	 .purpose = "keep a person from depositing and wagering; it can only be made longer",
	 .flags = set_flags,
	 .flag_count = CTL_COUNT(set_flags),
	 .run = set_run},
	{.verb = "time-out",
	 .purpose = "the same for a short time; it ends by itself",
	 .flags = time_out_flags,
	 .flag_count = CTL_COUNT(time_out_flags),
	 .run = time_out_run},
	{.verb = "list",
	 .purpose = "what keeps a person from depositing and wagering now",
	 .flags = list_flags,
	 .flag_count = CTL_COUNT(list_flags),
	 .run = list_run},
	{.verb = "lift",
	 .purpose = "end a self-exclusion whose time has passed",
	 .flags = lift_flags,
	 .flag_count = CTL_COUNT(lift_flags),
	 .run = lift_run},
};

const struct command_group ctl_exclusion_group = {
	"exclusion", "Exclusions: who may not deposit or wager.", exclusion_commands,
	CTL_COUNT(exclusion_commands)};
