#include <stdbool.h>
#include <string.h>

#include "config_text.h"

#define HELP_COLUMNS 96
#define HELP_INDENT  6

/* Breaks at spaces. Continues on a line that `column` characters are on already. */
static void print_wrapped(FILE *out, const char *text, size_t column)
{
	while (*text != '\0') {
		size_t word = strcspn(text, " ");
		if (column > HELP_INDENT && column + 1 + word > HELP_COLUMNS) {
			fprintf(out, "\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
		} else if (column > HELP_INDENT) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, word, out);
		column += word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static const char *value_word(const struct rt_setting *setting)
{
	switch (setting->kind) {
	case RT_SETTING_INT:
		return "N";
	case RT_SETTING_TEXT:
	case RT_SETTING_CONNINFO:
		return "TEXT";
	case RT_SETTING_CHOICE:
		return "WORD";
	case RT_SETTING_PATH:
	case RT_SETTING_SECRET:
		return "FILE";
	case RT_SETTING_URL:
		break;
	}
	return "URL";
}

static void print_setting_help(const struct rt_program *program, const struct rt_setting *setting,
			       FILE *out)
{
	char flag[CONFIG_NAME_BYTES], variable[CONFIG_NAME_BYTES], allowed[256];
	config_flag(setting, flag);
	config_variable(program, setting, variable);
	config_allowed(setting, allowed, sizeof(allowed));
	fprintf(out, "  %s %s  (%s)\n%*s", flag, value_word(setting), variable, HELP_INDENT, "");
	print_wrapped(out, setting->prose, HELP_INDENT);
	fprintf(out, "%*s", HELP_INDENT, "");
	if (setting->fallback == NULL)
		fprintf(out, "required; %s\n", allowed);
	else if (setting->fallback[0] == '\0')
		fprintf(out, "no default; %s\n", allowed);
	else
		fprintf(out, "default %s; %s\n", setting->fallback, allowed);
}

void rt_config_help(const struct rt_program *program, FILE *out)
{
	bool has_commands = program->commands != NULL && program->commands[0] != '\0';
	fprintf(out, "%s: %s\n\nUsage: %s [%sSETTING...]\n", program->name, program->purpose,
		program->name, has_commands ? "COMMAND] [" : "");
	if (has_commands)
		fprintf(out, "\nCommands (none: serve):\n%s%s", program->commands,
			program->commands[strlen(program->commands) - 1] == '\n' ? "" : "\n");
	fprintf(out, "\nOther requests:\n"
		     "  --help             this text\n"
		     "  --version          the version\n"
		     "  --print-config     the settings in force, as NAME=value lines; passwords "
		     "hidden\n"
		     "  --print-reference  the settings as a Markdown table\n"
		     "\nSettings, as --flag VALUE or --flag=VALUE; flags win over the environment "
		     "(in brackets), which\n"
		     "wins over defaults:\n");
	for (size_t i = 0; i < program->setting_count; i++)
		print_setting_help(program, &program->settings[i], out);
	fprintf(out, "\nA wrong setting is named on stderr, and the program exits with 2.\n");
}

static bool is_setting(const struct rt_program *program, const char *variable, size_t length)
{
	for (size_t i = 0; i < program->setting_count; i++) {
		char known[CONFIG_NAME_BYTES];
		config_variable(program, &program->settings[i], known);
		if (strlen(known) == length && memcmp(known, variable, length) == 0)
			return true;
	}
	return false;
}

/* Guards against typing errors. Only here and not when serving, because clients' variables may
 * share the prefix. */
static void print_strangers(const struct rt_program *program, char *const *environment, FILE *out)
{
	size_t prefix_length = strlen(program->variable);
	for (; environment != NULL && *environment != NULL; environment++) {
		const char *variable = *environment;
		size_t length = strcspn(variable, "=");
		bool ours = strncmp(variable, program->variable, prefix_length) == 0 &&
			    variable[prefix_length] == '_';
		if (ours && !is_setting(program, variable, length))
			fprintf(out, "# %.*s is in the environment and is no setting of %s\n",
				(int)length, variable, program->name);
	}
}

void rt_config_print(const struct rt_program *program, const void *config, char *const *environment,
		     FILE *out)
{
	for (size_t i = 0; i < program->setting_count; i++) {
		char variable[CONFIG_NAME_BYTES];
		config_variable(program, &program->settings[i], variable);
		fprintf(out, "%s=", variable);
		config_show(&program->settings[i], config, out);
		fputc('\n', out);
	}
	print_strangers(program, environment, out);
}

/* A cell of a Markdown table. */
static void print_cell(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputs("\\|", out);
		else
			fputc(*text == '\n' ? ' ' : *text, out);
	}
}

static void print_reference_row(const struct rt_program *program, const struct rt_setting *setting,
				FILE *out)
{
	char flag[CONFIG_NAME_BYTES], variable[CONFIG_NAME_BYTES], allowed[256];
	config_flag(setting, flag);
	config_variable(program, setting, variable);
	config_allowed(setting, allowed, sizeof(allowed));
	fprintf(out, "| `%s` | `%s` | ", flag, variable);
	if (setting->fallback == NULL) {
		fputs("required", out);
	} else if (setting->fallback[0] != '\0') {
		fputc('`', out);
		print_cell(out, setting->fallback);
		fputc('`', out);
	}
	fputs(" | ", out);
	print_cell(out, allowed);
	fputs(" | ", out);
	print_cell(out, setting->prose);
	fputs(" |\n", out);
}

void rt_config_reference(const struct rt_program *program, FILE *out)
{
	fputs("| flag | environment | default | allowed | meaning |\n|---|---|---|---|---|\n", out);
	for (size_t i = 0; i < program->setting_count; i++)
		print_reference_row(program, &program->settings[i], out);
}
