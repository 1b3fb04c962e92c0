/* The settings of auth; the table is config.def. For main.c. */
#pragma once

#include "rt/config.h"

struct auth_config {
	struct rt_common_config common;
	struct rt_database_config database;
	const char *signing_key_file;
	int64_t signing_key_reload_ms;
	const char *token_issuer;
	int64_t token_ttl_s;
	int64_t argon2_memory_kib;
	int64_t argon2_passes;
	int64_t argon2_lanes;
	int64_t hash_threads;
	int64_t hash_queue_max;
	int64_t login_burst;
	int64_t login_refill_s;
	const char *username;           /* create-operator */
	const char *user_password_file; /* create-operator */
};
