/* A handler for each row of methods.def. For main.c. */
#pragma once

#include "rt/rpc_server.h"

void accounts_create_ledger(struct rt_call *call);
void accounts_get_ledger(struct rt_call *call);
void accounts_list_ledgers(struct rt_call *call);

void accounts_register_asset(struct rt_call *call);
void accounts_list_assets(struct rt_call *call);

void accounts_create_accounts(struct rt_call *call);
void accounts_get_account(struct rt_call *call);
void accounts_get_account_metadata(struct rt_call *call);
void accounts_update_account(struct rt_call *call);
void accounts_get_accounts(struct rt_call *call);
void accounts_list_accounts(struct rt_call *call);

void accounts_post(struct rt_call *call);
void accounts_post_batch(struct rt_call *call);
void accounts_post_stream(struct rt_call *call);

void accounts_get_transfer(struct rt_call *call);
void accounts_get_group(struct rt_call *call);
void accounts_get_statement(struct rt_call *call);
void accounts_get_balance_at(struct rt_call *call);
void accounts_get_trial_balance(struct rt_call *call);
void accounts_verify_ledger(struct rt_call *call);
