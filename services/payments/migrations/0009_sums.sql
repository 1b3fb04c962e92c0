-- A sum of usage as far as bigint goes. What has happened must never fail to be counted: the payment would stay open for
-- ever, with its money moved.
CREATE FUNCTION limit_sum(summed numeric) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT greatest(-9223372036854775807, least(9223372036854775807, summed))::bigint
$$;
