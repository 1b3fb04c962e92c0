/* How settings are called and shown. For config.c and config_print.c. */
#pragma once

#include <stdio.h>

#include "rt/config.h"

#define CONFIG_NAME_BYTES 128

/* "--db-password-file" */
void config_flag(const struct rt_setting *setting, char text[CONFIG_NAME_BYTES]);
/* "DALER_ACCOUNTS_DB_PASSWORD_FILE" */
void config_variable(const struct rt_program *program, const struct rt_setting *setting,
		     char text[CONFIG_NAME_BYTES]);
/* "1 to 256 threads", "one of debug, info", "a path"; cut when too long. */
void config_allowed(const struct rt_setting *setting, char *text, size_t text_bytes);
/* The value with what could be a password in it replaced by ***. */
void config_show(const struct rt_setting *setting, const void *config, FILE *out);
