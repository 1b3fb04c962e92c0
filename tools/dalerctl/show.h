/* What commands print: answers, errors, and the texts in tables. For this tool's files. */
#pragma once

#include <google/protobuf/timestamp.pb-c.h>

#include "command.h"
#include "table.h"

/* Whether programs read the output. */
bool show_is_json(const struct ctl *ctl);
/* The answer as JSON on standard output. */
void show_json(const ProtobufCMessage *reply);
/* On standard error, with what to do about it; returns how the process ends. */
enum ctl_exit show_error(const struct ctl *ctl, const struct rt_status *status);
/* A line on standard error about something that was made here, said before it is sent: "ledger id",
 * id. */
void show_made(const char *what, const char *value);

/* Texts; in the ctl's arena. */
const char *show_amount(struct ctl *ctl, int64_t amount_minor, const char *currency); /* "12.50" */
/* The same for a sum of any size, as decimal digits of minor units. */
const char *show_sum(struct ctl *ctl, const char *digits, const char *currency);
const char *show_money(struct ctl *ctl, int64_t amount_minor,
		       const char *currency); /* "12.50 EUR" */
const char *show_time(struct ctl *ctl, const Google__Protobuf__Timestamp *time);
const char *show_int(struct ctl *ctl, int64_t value);
/* The name of an enum's value without the prefix that all of them have. */
const char *show_enum(const ProtobufCEnumDescriptor *descriptor, int value, const char *prefix);
/* A table of names and values. */
void show_record_init(struct ctl *ctl, struct table *table);
/* "more: --page-token ..." after a page that is not the last. */
void show_more(const char *next_page_token);
