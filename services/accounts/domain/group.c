#include "domain/group.h"

#include <string.h>

#include "rt/digest.h"

/* At most a hundred: comparing each with each is the fastest way. */
static struct rt_status check_unique(const struct group *group, size_t index)
{
	const struct transfer *transfer = &group->transfers[index];
	for (size_t i = 0; i < index; i++)
		if (rt_uuid_equal(&group->transfers[i].id, &transfer->id))
			return RT_BAD_FIELD("DUPLICATE_ID", "transfer_id",
					    "is that of transfers[%zu] too", i);
	return rt_ok();
}

struct rt_status group_check(const struct group *group)
{
	if (group->count == 0)
		return RT_BAD_FIELD("GROUP_EMPTY", "transfers", "must have 1 to %d transfers",
				    GROUP_TRANSFERS_MAX);
	if (group->count > GROUP_TRANSFERS_MAX)
		return RT_BAD_FIELD("GROUP_TOO_LARGE", "transfers",
				    "must have 1 to %d transfers, has %zu", GROUP_TRANSFERS_MAX,
				    group->count);
	for (size_t i = 0; i < group->count; i++) {
		RT_TRY(rt_status_in(transfer_check(&group->transfers[i]), "transfers[%zu].", i));
		RT_TRY(rt_status_in(check_unique(group, i), "transfers[%zu].", i));
	}
	return rt_ok();
}

static void hash_uuid(struct rt_digest *digest, const struct rt_uuid *uuid)
{
	rt_digest_bytes(digest, uuid->bytes, sizeof(uuid->bytes));
}

static void hash_transfer(struct rt_digest *digest, const struct transfer *transfer)
{
	hash_uuid(digest, &transfer->id);
	hash_uuid(digest, &transfer->debit_account_id);
	hash_uuid(digest, &transfer->credit_account_id);
	hash_uuid(digest, &transfer->target_id);
	rt_digest_int(digest, transfer->amount_minor);
	rt_digest_text(digest, transfer->currency);
	rt_digest_int(digest, (int64_t)transfer->kind);
	rt_digest_text(digest, transfer->reference);
	/* Only when they are there, so that what was asked for before they could be keeps its hash.
	 */
	if (transfer->expires_us != 0)
		rt_digest_int(digest, transfer->expires_us);
	if (transfer->keep_open)
		rt_digest_text(digest, "keep open");
}

void group_fill_hash(struct group *group, const struct rt_uuid *ledger_id)
{
	_Static_assert(GROUP_HASH_BYTES <= RT_DIGEST_BYTES, "a digest is cut, never padded");
	uint8_t whole[RT_DIGEST_BYTES];
	struct rt_digest digest;
	rt_digest_init(&digest);
	rt_digest_text(&digest, "daler.accounts.group.v1");
	hash_uuid(&digest, ledger_id);
	rt_digest_int(&digest, (int64_t)group->count);
	for (size_t i = 0; i < group->count; i++)
		hash_transfer(&digest, &group->transfers[i]);
	rt_digest_finish(&digest, whole);
	memcpy(group->hash, whole, sizeof(group->hash));
}
