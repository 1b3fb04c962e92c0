/* The settings of payments; the table is config.def. For main.c. */
#pragma once

#include "rt/config.h"

struct payments_config {
	struct rt_common_config common;
	struct rt_database_config database;
	const char *auth_addr;
	const char *accounts_addr;
	const char *connector_addr;
	const char *connector_name;
	const char *token_issuer;
	const char *notification_key_file;
	const char *notification_other_key_file;
	int64_t accounts_timeout_ms;
	int64_t connector_timeout_ms;
	int64_t connector_in_flight_max;
	int64_t posts_in_flight_max;
	int64_t lanes;
	int64_t sagas_max;
	int64_t account_open_max;
	int64_t lease_ms;
	int64_t recovery_ms;
	int64_t review_ms;
	int64_t retry_ms_min;
	int64_t retry_ms_max;
	int64_t retry_percent;
	int64_t retry_per_s;
	int64_t capabilities_ms;
	int64_t wake_ms;
	int64_t watchers_max;
	int64_t watch_ms_min;
	int64_t watch_ms_max;
};
