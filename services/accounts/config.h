/* Settings of accounts; their rows are in config.def. For main.c. */
#pragma once

#include <stdint.h>

#include "rt/config.h"

struct accounts_config {
	struct rt_common_config common;
	struct rt_database_config database;
	const char *redis;
	const char *redis_password_file;
	int64_t redis_timeout_ms;
	int64_t cache_ttl_ms;
	const char *auth_addr;
	const char *token_issuer;
	int64_t lanes;
	int64_t batch_max;
	int64_t posting_queue_max;
	int64_t expiry_interval_ms;
	int64_t reads_percent;
};
