-- What follows in this transaction is planned with its values, not once for all of them. Locks nothing.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true)
