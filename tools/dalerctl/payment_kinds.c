/* The kinds of payments that can be asked for: which flags each takes, and which field of its
 * message each of them is. */
#include <daler/payments/v1/payments.pb-c.h>
#include <string.h>

#include "args.h"
#include "payment.h"
#include "rt/assert.h"

enum kind_need { NEEDED, NEEDED_ID, OPTIONAL };

struct kind_field {
	const char *flag; /* NULL: no more */
	const char *field;
	enum kind_need need;
	const char *fallback; /* of an optional one; NULL: none */
};

#define KIND_FIELDS_MAX 6

struct kind {
	const char *name;   /* the operand */
	const char *member; /* of the request's oneof */
	struct kind_field fields[KIND_FIELDS_MAX];
};

#define THROUGH                                                                                    \
	{"connector", "connector", OPTIONAL, "simulator"},                                         \
	{                                                                                          \
		"instrument", "instrument", OPTIONAL, "sim:ok"                                     \
	}
#define OF_A_ROUND                                                                                 \
	{"account", "account_id", NEEDED_ID, NULL},                                                \
		{"game-account", "game_account_id", NEEDED_ID, NULL},                              \
	{                                                                                          \
		"round", "round_id", NEEDED, NULL                                                  \
	}

static const struct kind kinds[] = {
	{"deposit", "deposit", {{"account", "account_id", NEEDED_ID, NULL}, THROUGH}},
	{"withdrawal", "withdrawal", {{"account", "account_id", NEEDED_ID, NULL}, THROUGH}},
	{"transfer",
	 "transfer",
	 {{"account", "from_account_id", NEEDED_ID, NULL},
	  {"to-account", "to_account_id", NEEDED_ID, NULL}}},
	{"remote-transfer",
	 "remote_transfer",
	 {{"account", "from_account_id", NEEDED_ID, NULL},
	  {"to-ledger", "to_ledger_id", NEEDED_ID, NULL},
	  {"to-account", "to_account_id", NEEDED_ID, NULL}}},
	{"refund",
	 "refund",
	 {{"payment-id", "payment_id", NEEDED_ID, NULL},
	  {"instrument", "instrument", OPTIONAL, "sim:ok"}}},
	{"wager", "wager", {OF_A_ROUND}},
	{"settlement", "settlement", {OF_A_ROUND}},
	{"rollback",
	 "rollback",
	 {OF_A_ROUND,
	  {"original-key", "original_key", NEEDED, NULL},
	  {"original-caller", "original_caller", OPTIONAL, NULL}}},
};

static const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < CTL_COUNT(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	RT_ASSERT(name == NULL); /* the operand is one of them */
	return NULL;
}

static bool kind_has(const struct kind *kind, const char *flag)
{
	for (size_t i = 0; i < KIND_FIELDS_MAX && kind->fields[i].flag != NULL; i++) {
		if (strcmp(kind->fields[i].flag, flag) == 0)
			return true;
	}
	return false;
}

/* A flag that only other kinds have is a mistake, not to be passed over. */
static struct rt_status others_forbid(const struct ctl *ctl, const struct kind *kind)
{
	for (size_t i = 0; i < CTL_COUNT(kinds); i++) {
		for (size_t j = 0; j < KIND_FIELDS_MAX && kinds[i].fields[j].flag != NULL; j++) {
			const char *flag = kinds[i].fields[j].flag;

			if (flag_given(ctl, flag) && !kind_has(kind, flag))
				return CTL_USAGE_ERROR("a %s has no --%s", kind->name, flag);
		}
	}
	return rt_ok();
}

static struct rt_status field_take(struct ctl *ctl, const struct kind *kind,
				   const struct kind_field *field, char **text)
{
	if (field->need != OPTIONAL && !flag_given(ctl, field->flag))
		return CTL_USAGE_ERROR("a %s needs --%s", kind->name, field->flag);
	if (field->need == NEEDED_ID)
		return flag_id(ctl, field->flag, text);
	if (flag_given(ctl, field->flag))
		*text = flag_text(ctl, field->flag);
	else if (field->fallback != NULL)
		*text = rt_arena_strdup(&ctl->arena, field->fallback);
	return rt_ok();
}

/* Where a member of a message is; the message is this tool's own. */
static void *member_of(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (char *)message + field->offset;
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *descriptor,
						const char *name)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(descriptor, name);

	RT_ASSERT(field != NULL);
	return field;
}

struct rt_status payment_kind_take(struct ctl *ctl,
				   Daler__Payments__V1__CreatePaymentRequest *request)
{
	const struct kind *kind = kind_find(ctl->operand);
	const ProtobufCFieldDescriptor *member = field_of(request->base.descriptor, kind->member);
	const ProtobufCMessageDescriptor *descriptor = member->descriptor;
	ProtobufCMessage *message = rt_arena_alloc(&ctl->arena, descriptor->sizeof_message);

	RT_ASSERT(message != NULL);
	RT_TRY(others_forbid(ctl, kind));
	protobuf_c_message_init(descriptor, message);
	for (size_t i = 0; i < KIND_FIELDS_MAX && kind->fields[i].flag != NULL; i++) {
		const struct kind_field *field = &kind->fields[i];

		RT_TRY(field_take(ctl, kind, field,
				  member_of(message, field_of(descriptor, field->field))));
	}
	request->kind_case = (Daler__Payments__V1__CreatePaymentRequest__KindCase)member->id;
	memcpy(member_of(&request->base, member), &message, sizeof(message));
	return rt_ok();
}
