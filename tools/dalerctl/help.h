/* Help at every level, made from the tables. For main.c. */
#pragma once

#include <stdio.h>

#include "command.h"

/* As much as is known of what was asked: the command's help, its group's, or the program's. */
void help_print(const struct ctl *ctl, FILE *file);
