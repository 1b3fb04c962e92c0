-- What follows in this transaction is planned with its values, not once for all of them, and reads tables in the order of an
-- index: about a table whose statistics are not there yet, or no longer true, reading all of it and sorting may look cheaper.
-- Small sorts that remain count as dear, and are not worth compiling for. Locks nothing.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true),
	set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true),
	set_config('enable_incremental_sort', 'off', true), set_config('jit', 'off', true)
