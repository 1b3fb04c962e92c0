/* login, user, keys, id: who acts. */
#include <daler/auth/v1/auth.pb-c.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "args.h"
#include "link.h"
#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/secret.h"
#include "show.h"

#define AUTH "daler.auth.v1.AuthService"

#define PASSWORD_FLAG                                                                              \
	{                                                                                          \
		"password-file", NULL, "FILE", FLAG_OPTIONAL,                                      \
			"a file with the password; without it, it is asked for (or read from "     \
			"standard input)"                                                          \
	}

/* Reads one line without showing it, where standard input is a terminal. */
static struct rt_status password_ask(struct rt_secret *password)
{
	struct termios before;
	bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	char line[1024];
	if (terminal) {
		struct termios silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		fputs("password: ", stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	char *got = fgets(line, sizeof(line), stdin);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (got == NULL)
		return CTL_USAGE_ERROR("no password on standard input, and no --password-file");
	*password = rt_secret_copy(line, strcspn(line, "\r\n"));
	rt_wipe(line, sizeof(line));
	return rt_ok();
}

/* Owns: *password. *text is lent by it. */
static struct rt_status password_take(const struct ctl *ctl, struct rt_secret *password,
				      char **text)
{
	char *file = flag_text(ctl, "password-file");
	if (file != NULL)
		RT_TRY(rt_secret_read_file(file, password));
	else
		RT_TRY(password_ask(password));
	*text = password->hidden;
	return rt_ok();
}

static void show_user(struct ctl *ctl, const Daler__Auth__V1__User *user)
{
	struct table table;
	show_record_init(ctl, &table);
	TABLE_ROW(&table, "user", user->user_id);
	TABLE_ROW(&table, "username", user->username);
	TABLE_ROW(&table, "role",
		  show_enum(&daler__auth__v1__role__descriptor, (int)user->role, "ROLE_"));
	TABLE_ROW(&table, "created", show_time(ctl, user->create_time));
	table_print(&table, stdout);
}

static void show_login(struct ctl *ctl, const Daler__Auth__V1__LogInResponse *reply)
{
	if (flag_given(ctl, "print-token")) {
		puts(reply->access_token);
		return;
	}
	if (reply->user != NULL)
		show_user(ctl, reply->user);
	printf("token until %s:\n%s\n", show_time(ctl, reply->expire_time), reply->access_token);
}

static struct rt_status login_run(struct ctl *ctl)
{
	static const struct link_method method = {
		.target = LINK_AUTH,
		.anonymous = true,
		.remote = {AUTH, "LogIn", &daler__auth__v1__log_in_response__descriptor, true,
			   NULL},
	};
	CLEANUP(rt_secret_deinit) struct rt_secret password = {0};
	Daler__Auth__V1__LogInRequest request;
	daler__auth__v1__log_in_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	request.username = flag_text(ctl, "username");
	RT_TRY(password_take(ctl, &password, &request.password));
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_login(ctl, (const void *)reply);
	return rt_ok();
}

static const struct flag login_flags[] = {
	{"username", "user", "NAME", FLAG_REQUIRED, "who logs in"},
	PASSWORD_FLAG,
	{"print-token", NULL, NULL, FLAG_OPTIONAL, "print the token alone, for DALER_TOKEN=$(...)"},
};

static const struct command login_commands[] = {
	{.purpose = "exchange a password for a token",
	 .notes = "The token is printed and kept nowhere: export DALER_TOKEN=$(dalerctl login ... "
		  "--print-token)\n",
	 .flags = login_flags,
	 .flag_count = CTL_COUNT(login_flags),
	 .run = login_run},
};

const struct command_group ctl_login_group = {"login", "Log in.", login_commands,
					      CTL_COUNT(login_commands)};

static struct rt_status role_take(const struct ctl *ctl, Daler__Auth__V1__Role *role)
{
	const char *text = flag_text(ctl, "role");
	for (unsigned i = 0; i < daler__auth__v1__role__descriptor.n_values; i++) {
		const ProtobufCEnumValue *value = &daler__auth__v1__role__descriptor.values[i];
		if (value->value != 0 && strcasecmp(value->name + strlen("ROLE_"), text) == 0) {
			*role = (Daler__Auth__V1__Role)value->value;
			return rt_ok();
		}
	}
	return CTL_USAGE_ERROR("--role must be player, operator or auditor, not '%.40s'", text);
}

static struct rt_status user_create_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(AUTH, AUTH, "CreateUser", daler__auth__v1__create_user_response);
	CLEANUP(rt_secret_deinit) struct rt_secret password = {0};
	Daler__Auth__V1__CreateUserRequest request;
	daler__auth__v1__create_user_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	bool made = false;
	request.username = flag_text(ctl, "username");
	RT_TRY(role_take(ctl, &request.role));
	RT_TRY(flag_id_or_new(ctl, "user-id", &request.user_id, &made));
	RT_TRY(password_take(ctl, &password, &request.password));
	if (made)
		show_made("user id", request.user_id);
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Auth__V1__CreateUserResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	else if (answer->user != NULL)
		show_user(ctl, answer->user);
	return rt_ok();
}

static struct rt_status user_get_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(AUTH, AUTH, "GetUser", daler__auth__v1__get_user_response);
	Daler__Auth__V1__GetUserRequest request;
	daler__auth__v1__get_user_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "user-id", &request.user_id));
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Auth__V1__GetUserResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	else if (answer->user != NULL)
		show_user(ctl, answer->user);
	return rt_ok();
}

static const struct flag user_create_flags[] = {
	{"username", NULL, "NAME", FLAG_REQUIRED, "3 to 64 characters of a-z 0-9 . _ - @ +"},
	{"role", NULL, "ROLE", FLAG_REQUIRED, "player, operator or auditor"},
	{"user-id", NULL, "ID", FLAG_OPTIONAL, "a UUID; a new one is made without it"},
	PASSWORD_FLAG,
};

static const struct flag user_get_flags[] = {
	{"user-id", "user", "ID", FLAG_REQUIRED, "whose"},
};

static const struct command user_commands[] = {
	{.verb = "create",
	 .purpose = "create a user",
	 .flags = user_create_flags,
	 .flag_count = CTL_COUNT(user_create_flags),
	 .run = user_create_run},
	{.verb = "get",
	 .purpose = "show a user",
	 .flags = user_get_flags,
	 .flag_count = CTL_COUNT(user_get_flags),
	 .run = user_get_run},
};

const struct command_group ctl_user_group = {"user", "Users: who may act.", user_commands,
					     CTL_COUNT(user_commands)};

static struct rt_status keys_show_run(struct ctl *ctl)
{
	static const struct link_method method = {
		.target = LINK_AUTH,
		.anonymous = true,
		.remote = {AUTH, "GetKeys", &daler__auth__v1__get_keys_response__descriptor, true,
			   NULL},
	};
	Daler__Auth__V1__GetKeysRequest request;
	daler__auth__v1__get_keys_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		puts(((const Daler__Auth__V1__GetKeysResponse *)(const void *)reply)->jwks_json);
	return rt_ok();
}

static const struct command keys_commands[] = {
	{.verb = "show",
	 .purpose = "show the public keys that verify tokens (JWKS)",
	 .run = keys_show_run},
};

const struct command_group ctl_keys_group = {"keys", "The keys of tokens.", keys_commands,
					     CTL_COUNT(keys_commands)};

static struct rt_status id_new_run(struct ctl *ctl)
{
	struct rt_uuid uuid = rt_uuid_v7();
	char text[RT_UUID_TEXT_BYTES];
	rt_uuid_format(&uuid, text);
	printf(show_is_json(ctl) ? "{\"id\": \"%s\"}\n" : "%s\n", text);
	return rt_ok();
}

static const struct command id_commands[] = {
	{.verb = "new", .purpose = "make a time-ordered id (UUID version 7)", .run = id_new_run},
};

const struct command_group ctl_id_group = {"id", "Ids.", id_commands, CTL_COUNT(id_commands)};
