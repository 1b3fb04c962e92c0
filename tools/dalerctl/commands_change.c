/* account update, account close; asset: what may change, and what may be counted. */
#include <daler/accounts/v1/accounts.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "link.h"
#include "show.h"

#define ACCOUNTS "daler.accounts.v1.AccountsService"

/* The account as it is: for its version, and for the digits of its currency. */
static struct rt_status ask_metadata(struct ctl *ctl,
				     const Daler__Accounts__V1__UpdateAccountRequest *update,
				     const Daler__Accounts__V1__AccountMetadata **metadata)
{
	static const struct link_method method =
		LINK_METHOD(ACCOUNTS, ACCOUNTS, "GetAccountMetadata",
			    daler__accounts__v1__get_account_metadata_response);
	Daler__Accounts__V1__GetAccountMetadataRequest request;
	daler__accounts__v1__get_account_metadata_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	request.ledger_id = update->ledger_id;
	request.account_id = update->account_id;
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__GetAccountMetadataResponse *answer = (const void *)reply;
	if (answer->metadata == NULL)
		return RT_FAIL(INTERNAL, "BAD_REPLY", "the account has no metadata");
	*metadata = answer->metadata;
	return rt_ok();
}

static struct rt_status begin_update(struct ctl *ctl,
				     Daler__Accounts__V1__UpdateAccountRequest *request,
				     const Daler__Accounts__V1__AccountMetadata **metadata)
{
	RT_TRY(flag_id(ctl, "ledger", &request->ledger_id));
	RT_TRY(flag_id(ctl, "account", &request->account_id));
	RT_TRY(ask_metadata(ctl, request, metadata));
	return flag_int(ctl, "version", (*metadata)->version, &request->expected_version);
}

static struct rt_status status_take(const char *text, Daler__Accounts__V1__AccountStatus *status)
{
	static const char *const names[] = {"active", "frozen", "blocked", "closed"};
	for (size_t i = 0; i < CTL_COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*status = (Daler__Accounts__V1__AccountStatus)(i + 1);
			return rt_ok();
		}
	}
	return CTL_USAGE_ERROR("--status must be active, frozen, blocked or closed, not '%.40s'",
			       text);
}

/* Names a field in the mask; false when the flag is absent. */
static bool named(const struct ctl *ctl, const char *flag, char *path,
		  Google__Protobuf__FieldMask *mask)
{
	if (!flag_given(ctl, flag))
		return false;
	mask->paths[mask->n_paths++] = path;
	return true;
}

static struct rt_status limit_take(const struct ctl *ctl, const char *flag, const char *currency,
				   Daler__Accounts__V1__Limit *limit,
				   Daler__Accounts__V1__Limit **place)
{
	if (strcmp(flag_text(ctl, flag), "none") == 0)
		return rt_ok();
	daler__accounts__v1__limit__init(limit);
	*place = limit;
	return flag_minor(ctl, flag, currency, &limit->amount_minor);
}

#define FIELDS_MAX 5
/* What a request to update points to. */
struct update {
	Daler__Accounts__V1__UpdateAccountRequest request;
	Google__Protobuf__FieldMask mask;
	Daler__Accounts__V1__Limit lower, upper;
	char *paths[FIELDS_MAX];
};

static void update_init(struct update *update)
{
	daler__accounts__v1__update_account_request__init(&update->request);
	google__protobuf__field_mask__init(&update->mask);
	update->mask.paths = update->paths;
	update->request.update_mask = &update->mask;
}

static struct rt_status update_take(struct ctl *ctl, struct update *update, const char *currency)
{
	static char label[] = "label", status[] = "status", lower[] = "lower_limit";
	static char upper[] = "upper_limit", credit_line[] = "credit_line_minor";
	Daler__Accounts__V1__UpdateAccountRequest *request = &update->request;
	if (named(ctl, "label", label, &update->mask))
		request->label = flag_text(ctl, "label");
	if (named(ctl, "status", status, &update->mask))
		RT_TRY(status_take(flag_text(ctl, "status"), &request->status));
	if (named(ctl, "lower-limit", lower, &update->mask))
		RT_TRY(limit_take(ctl, "lower-limit", currency, &update->lower,
				  &request->lower_limit));
	if (named(ctl, "upper-limit", upper, &update->mask))
		RT_TRY(limit_take(ctl, "upper-limit", currency, &update->upper,
				  &request->upper_limit));
	if (named(ctl, "credit-line", credit_line, &update->mask))
		RT_TRY(flag_minor(ctl, "credit-line", currency, &request->credit_line_minor));
	if (update->mask.n_paths == 0)
		return CTL_USAGE_ERROR("nothing is to be changed; see --help");
	return rt_ok();
}

static const char *limit_text(struct ctl *ctl, const Daler__Accounts__V1__Limit *limit,
			      const char *currency)
{
	return limit != NULL ? show_amount(ctl, limit->amount_minor, currency) : "none";
}

static struct rt_status update_send(struct ctl *ctl,
				    const Daler__Accounts__V1__UpdateAccountRequest *request)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "UpdateAccount", daler__accounts__v1__update_account_response);
	const ProtobufCMessage *reply = NULL;
	struct table table;
	RT_TRY(link_call(ctl, &method, &request->base, &reply));
	const Daler__Accounts__V1__UpdateAccountResponse *answer = (const void *)reply;
	const Daler__Accounts__V1__AccountMetadata *metadata = answer->metadata;
	if (show_is_json(ctl)) {
		show_json(reply);
		return rt_ok();
	}
	if (metadata == NULL)
		return rt_ok();
	show_record_init(ctl, &table);
	TABLE_ROW(&table, "account", metadata->account_id);
	TABLE_ROW(&table, "version", show_int(ctl, metadata->version));
	TABLE_ROW(&table, "label", metadata->label);
	TABLE_ROW(&table, "status",
		  show_enum(&daler__accounts__v1__account_status__descriptor, (int)metadata->status,
			    "ACCOUNT_STATUS_"));
	TABLE_ROW(&table, "lower limit",
		  limit_text(ctl, metadata->lower_limit, metadata->currency));
	TABLE_ROW(&table, "upper limit",
		  limit_text(ctl, metadata->upper_limit, metadata->currency));
	TABLE_ROW(&table, "credit line",
		  show_amount(ctl, metadata->credit_line_minor, metadata->currency));
	table_print(&table, stdout);
	return rt_ok();
}

struct rt_status account_update_run(struct ctl *ctl)
{
	struct update update = {0};
	const Daler__Accounts__V1__AccountMetadata *metadata = NULL;
	update_init(&update);
	RT_TRY(begin_update(ctl, &update.request, &metadata));
	RT_TRY(update_take(ctl, &update, metadata->currency));
	return update_send(ctl, &update.request);
}

struct rt_status account_close_run(struct ctl *ctl)
{
	static char status[] = "status";
	struct update update = {0};
	const Daler__Accounts__V1__AccountMetadata *metadata = NULL;
	update_init(&update);
	RT_TRY(begin_update(ctl, &update.request, &metadata));
	update.paths[update.mask.n_paths++] = status;
	update.request.status = DALER__ACCOUNTS__V1__ACCOUNT_STATUS__ACCOUNT_STATUS_CLOSED;
	return update_send(ctl, &update.request);
}

static void show_assets(struct ctl *ctl, Daler__Accounts__V1__Asset *const *assets, size_t count)
{
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "ASSET", ">EXPONENT", "REGISTERED");
	for (size_t i = 0; i < count; i++)
		TABLE_ROW(&table, assets[i]->code, show_int(ctl, assets[i]->exponent),
			  show_time(ctl, assets[i]->create_time));
	table_print(&table, stdout);
}

static struct rt_status asset_register_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "RegisterAsset", daler__accounts__v1__register_asset_response);
	Daler__Accounts__V1__RegisterAssetRequest request;
	daler__accounts__v1__register_asset_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	int64_t exponent = 0;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_int(ctl, "exponent", 0, &exponent));
	request.code = flag_text(ctl, "code");
	request.exponent = exponent > INT32_MAX ? INT32_MAX : (int32_t)exponent;
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__RegisterAssetResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	else if (answer->asset != NULL)
		show_assets(ctl, &answer->asset, 1);
	return rt_ok();
}

static struct rt_status asset_list_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "ListAssets", daler__accounts__v1__list_assets_response);
	Daler__Accounts__V1__ListAssetsRequest request;
	daler__accounts__v1__list_assets_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__ListAssetsResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_assets(ctl, answer->assets, answer->n_assets);
	return rt_ok();
}

static const struct flag register_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"code", NULL, "CODE", FLAG_REQUIRED,
	 "3 to 12 of A-Z and 0-9, the first a letter; not an ISO 4217 code"},
	{"exponent", NULL, "N", FLAG_REQUIRED, "digits after the point, 0 to 18"},
};

static const struct flag list_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
};

static const struct command asset_commands[] = {
	{.verb = "register",
	 .purpose = "register an asset that ISO 4217 does not know, for one ledger",
	 .notes = "Amounts of registered assets are whole numbers of their smallest unit.\n",
	 .flags = register_flags,
	 .flag_count = CTL_COUNT(register_flags),
	 .run = asset_register_run},
	{.verb = "list",
	 .purpose = "list the assets that are registered for a ledger",
	 .flags = list_flags,
	 .flag_count = CTL_COUNT(list_flags),
	 .run = asset_list_run},
};

const struct command_group ctl_asset_group = {"asset",
					      "Assets: what a ledger counts besides money.",
					      asset_commands, CTL_COUNT(asset_commands)};
