/* SelfExclude, TimeOut, LiftSelfExclusion and ListRestrictions, on a worker's connection. */
#include "engine/limiting.h"
#include "rpc/map_limits.h"
#include "rpc/service.h"

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large");
}

/* What a request to restrict a person says, as both methods have it. */
struct asked {
	const char *ledger_id;
	const char *person_id;
	const char *reason;
	enum limit_action action;
	Daler__Payments__V1__RestrictionKind kind;
};

static struct rt_status restrict_person(struct rt_call *call, const struct asked *asked,
					int64_t wanted_us,
					Daler__Payments__V1__Restriction **restriction)
{
	const struct rt_caller *caller = rt_call_caller(call);
	const struct limit_author author = {.identity = rt_identity_name(caller->identity),
					    .user_id = caller->user_id,
					    .reason = asked->reason};
	struct limit_person_key key;
	int64_t until_us = 0;

	RT_TRY(map_person(call, asked->ledger_id, asked->person_id, &key));
	RT_TRY(map_limit_reason(call, asked->reason));
	RT_TRY(limiting_restrict(rt_call_worker(call), &key, asked->action, wanted_us, &author,
				 rt_call_arena(call), rt_call_deadline_us(call), &until_us));
	*restriction = map_restriction(asked->kind, until_us, rt_call_arena(call));
	return *restriction == NULL ? out_of_arena() : rt_ok();
}

static struct rt_status take_end(const Daler__Payments__V1__SelfExcludeRequest *request,
				 int64_t *wanted_us)
{
	*wanted_us = LIMIT_FOR_EVER;
	if (request->end_case == DALER__PAYMENTS__V1__SELF_EXCLUDE_REQUEST__END_UNTIL)
		return map_moment("until", request->until, wanted_us);
	if (request->end_case != DALER__PAYMENTS__V1__SELF_EXCLUDE_REQUEST__END_FOR_EVER ||
	    !request->for_ever)
		return RT_BAD_FIELD("INVALID_FIELD", "end", "one of until, for_ever is required");
	return rt_ok();
}

static struct rt_status self_exclude(struct rt_call *call,
				     Daler__Payments__V1__SelfExcludeResponse *reply)
{
	const Daler__Payments__V1__SelfExcludeRequest *request =
		(const void *)rt_call_request(call);
	const struct asked asked = {
		request->ledger_id, request->person_id, request->reason, LIMIT_ACTION_EXCLUDE,
		DALER__PAYMENTS__V1__RESTRICTION_KIND__RESTRICTION_KIND_SELF_EXCLUSION};
	int64_t wanted_us = 0;

	RT_TRY(take_end(request, &wanted_us));
	return restrict_person(call, &asked, wanted_us, &reply->restriction);
}

void payments_self_exclude(struct rt_call *call)
{
	Daler__Payments__V1__SelfExcludeResponse reply;
	daler__payments__v1__self_exclude_response__init(&reply);
	struct rt_status status = self_exclude(call, &reply);

	rt_call_end(call, status, &reply.base);
}

static struct rt_status time_out(struct rt_call *call, Daler__Payments__V1__TimeOutResponse *reply)
{
	const Daler__Payments__V1__TimeOutRequest *request = (const void *)rt_call_request(call);
	const struct asked asked = {
		request->ledger_id, request->person_id, request->reason, LIMIT_ACTION_TIME_OUT,
		DALER__PAYMENTS__V1__RESTRICTION_KIND__RESTRICTION_KIND_TIME_OUT};
	int64_t wanted_us = 0;

	RT_TRY(map_moment("until", request->until, &wanted_us));
	return restrict_person(call, &asked, wanted_us, &reply->restriction);
}

void payments_time_out(struct rt_call *call)
{
	Daler__Payments__V1__TimeOutResponse reply;
	daler__payments__v1__time_out_response__init(&reply);
	struct rt_status status = time_out(call, &reply);

	rt_call_end(call, status, &reply.base);
}

static struct rt_status lift(struct rt_call *call)
{
	const Daler__Payments__V1__LiftSelfExclusionRequest *request =
		(const void *)rt_call_request(call);
	const struct rt_caller *caller = rt_call_caller(call);
	const struct limit_author author = {.identity = rt_identity_name(caller->identity),
					    .user_id = caller->user_id,
					    .reason = request->reason};
	struct limit_person_key key;

	RT_TRY(map_person(call, request->ledger_id, request->person_id, &key));
	RT_TRY(map_limit_reason(call, request->reason));
	return limiting_lift(rt_call_worker(call), &key, &author, rt_call_arena(call),
			     rt_call_deadline_us(call));
}

void payments_lift_self_exclusion(struct rt_call *call)
{
	Daler__Payments__V1__LiftSelfExclusionResponse reply;
	daler__payments__v1__lift_self_exclusion_response__init(&reply);
	struct rt_status status = lift(call);

	rt_call_end(call, status, &reply.base);
}

static struct rt_status add(Daler__Payments__V1__ListRestrictionsResponse *reply,
			    Daler__Payments__V1__RestrictionKind kind, int64_t until_us,
			    struct rt_arena *arena)
{
	Daler__Payments__V1__Restriction *restriction = map_restriction(kind, until_us, arena);

	if (restriction == NULL)
		return out_of_arena();
	reply->restrictions[reply->n_restrictions++] = restriction;
	return rt_ok();
}

static struct rt_status list(struct rt_call *call,
			     Daler__Payments__V1__ListRestrictionsResponse *reply)
{
	const Daler__Payments__V1__ListRestrictionsRequest *request =
		(const void *)rt_call_request(call);
	struct rt_arena *arena = rt_call_arena(call);
	struct limit_restrictions restrictions;
	struct limit_person_key key;
	int64_t now_us = 0;

	RT_TRY(map_person(call, request->ledger_id, request->person_id, &key));
	RT_TRY(limit_store_restrictions(rt_call_worker(call), &key, arena,
					rt_call_deadline_us(call), &restrictions, &now_us));
	reply->restrictions =
		rt_arena_array(arena, 2, sizeof(struct Daler__Payments__V1__Restriction *));
	if (reply->restrictions == NULL)
		return out_of_arena();
	if (restrictions.excluded_until_us != LIMIT_NOT)
		RT_TRY(add(reply,
			   DALER__PAYMENTS__V1__RESTRICTION_KIND__RESTRICTION_KIND_SELF_EXCLUSION,
			   restrictions.excluded_until_us, arena));
	if (restrictions.timed_out_until_us > now_us)
		RT_TRY(add(reply, DALER__PAYMENTS__V1__RESTRICTION_KIND__RESTRICTION_KIND_TIME_OUT,
			   restrictions.timed_out_until_us, arena));
	return rt_ok();
}

void payments_list_restrictions(struct rt_call *call)
{
	Daler__Payments__V1__ListRestrictionsResponse reply;
	daler__payments__v1__list_restrictions_response__init(&reply);
	struct rt_status status = list(call, &reply);

	rt_call_end(call, status, &reply.base);
}
