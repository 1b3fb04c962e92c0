#include "help.h"

#include <string.h>

#include "args.h"

static const char overview[] = "dalerctl: Daler's operator at the command line.\n"
			       "\n"
			       "usage: dalerctl GROUP VERB [--flag VALUE]...\n"
			       "       dalerctl GROUP [VERB] --help\n"
			       "\n"
			       "to begin:\n"
			       "  eval \"$(./daler env)\"       the addresses and certificates of "
			       "the development environment\n"
			       "  export DALER_TOKEN=$(dalerctl login --username operator "
			       "--password-file FILE --print-token)\n"
			       "  dalerctl ledger list\n";

static const char conventions[] =
	"amounts are decimal, in the digits that the currency has: 12.50 EUR, 1250 JPY.\n"
	"ids are UUIDs. A command that creates something makes one where none is given, and says "
	"it before it asks, so\n"
	"that the same command can be repeated: the same id or key with the same content never "
	"happens twice.\n"
	"while a service can't be reached, or an outcome isn't known, the same request is sent "
	"again until --timeout.\n"
	"--json prints the answer by the proto3 JSON mapping with the field names of the .proto "
	"files: 64-bit numbers\n"
	"and amounts (in minor units) are strings, enums are their names, times are RFC 3339.\n"
	"\n"
	"exit status:\n"
	"  0  done\n"
	"  1  refused by the service; or declined, which is an outcome: it is printed all the "
	"same\n"
	"  2  the command line is wrong; nothing was sent\n"
	"  3  the service could not be reached, or it isn't known (yet) whether it happened: "
	"repeat the same command\n";

static void print_flag(FILE *file, const struct flag *flag, const char *variable)
{
	char left[64];
	snprintf(left, sizeof(left), "--%s %s", flag->name, flag->value != NULL ? flag->value : "");
	if (flag->alias != NULL && strlen(flag->alias) == 1)
		snprintf(left, sizeof(left), "--%s, -%s", flag->name, flag->alias);
	fprintf(file, "  %-28s %s%s", left, flag->prose,
		flag->need == FLAG_REQUIRED ? " (required)" : "");
	if (variable != NULL)
		fprintf(file, " [%s]", variable);
	fputc('\n', file);
}

static void print_settings(FILE *file)
{
	fputs("\nflags that every command has, with the environment variable that gives a "
	      "default:\n",
	      file);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		print_flag(file, &ctl_settings[i].flag, ctl_settings[i].variable);
	fputs("  the token to show is in DALER_TOKEN (never a flag: others could see it in the "
	      "list of processes)\n",
	      file);
}

static void print_line(FILE *file, const struct command_group *group, const struct command *command)
{
	char left[128];
	snprintf(left, sizeof(left), "%s%s%s%s%s", group->name, command->verb != NULL ? " " : "",
		 command->verb != NULL ? command->verb : "", command->operand != NULL ? " " : "",
		 command->operand != NULL ? command->operand : "");
	fprintf(file, "  %-43s  %s\n", left, command->purpose);
}

static void print_command(FILE *file, const struct command_group *group,
			  const struct command *command)
{
	fprintf(file, "%s\n\nusage: dalerctl %s", command->purpose, group->name);
	if (command->verb != NULL)
		fprintf(file, " %s", command->verb);
	if (command->operand != NULL)
		fprintf(file, " %s", command->operand);
	for (size_t i = 0; i < command->flag_count; i++) {
		if (command->flags[i].need == FLAG_REQUIRED)
			fprintf(file, " --%s %s", command->flags[i].name, command->flags[i].value);
	}
	fputs(command->flag_count > 0 ? " [--flag VALUE]...\n\n" : "\n", file);
	for (size_t i = 0; i < command->flag_count; i++)
		print_flag(file, &command->flags[i], NULL);
	if (command->notes != NULL)
		fprintf(file, "\n%s", command->notes);
	print_settings(file);
}

static void print_overview(FILE *file)
{
	fprintf(file, "%s\ncommands:\n", overview);
	for (size_t i = 0; i < ctl_group_count; i++) {
		for (size_t j = 0; j < ctl_groups[i]->command_count; j++)
			print_line(file, ctl_groups[i], &ctl_groups[i]->commands[j]);
	}
	print_settings(file);
	fprintf(file, "\n%s", conventions);
}

void help_print(const struct ctl *ctl, FILE *file)
{
	if (ctl->command != NULL) {
		print_command(file, ctl->group, ctl->command);
	} else if (ctl->group != NULL) {
		fprintf(file, "%s\n\n", ctl->group->purpose);
		for (size_t i = 0; i < ctl->group->command_count; i++)
			print_line(file, ctl->group, &ctl->group->commands[i]);
		fprintf(file, "\n`dalerctl %s VERB --help` has the flags.\n", ctl->group->name);
	} else {
		print_overview(file);
	}
}
