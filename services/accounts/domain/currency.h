/* Codes of currencies and other assets. Pure; any layer of the service may include this. */
#pragma once

#include "rt/status.h"

/* The longest code and its NUL. */
#define CURRENCY_CODE_BYTES 13

/* Whether it has the form of a code: 3 to 12 characters of A-Z 0-9, the first a letter. That it is
 * one, ISO 4217's or one that was registered, is asked when an account is opened. Errors:
 * INVALID_ARGUMENT INVALID_CURRENCY naming the field. */
struct rt_status currency_field(const char *field, const char *code);
