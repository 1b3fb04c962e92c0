#include "store/cache_entry.h"

#include <stdint.h>
#include <string.h>

#include "rt/digest.h"

/* "daler a" and the version of the format. */
static const char magic[8] = "daler a2";
#define SEAL_BYTES 8

struct writer {
	char *bytes;
	size_t length, limit;
	bool full;
};

static void put(struct writer *writer, const void *bytes, size_t length)
{
	if (writer->full || length > writer->limit - writer->length) {
		writer->full = true;
		return;
	}
	memcpy(writer->bytes + writer->length, bytes, length);
	writer->length += length;
}

static void put_int(struct writer *writer, int64_t value)
{
	char bytes[8];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)((uint64_t)value >> (56 - 8 * i));
	put(writer, bytes, sizeof(bytes));
}

static void put_text(struct writer *writer, const char *text)
{
	size_t length = strlen(text);
	put_int(writer, (int64_t)length);
	put(writer, text, length);
}

static void put_limit(struct writer *writer, const struct account_limit *limit)
{
	put_int(writer, limit->set ? 1 : 0);
	put_int(writer, limit->amount_minor);
}

struct reader {
	const char *bytes;
	size_t length, place;
	bool bad;
};

static const char *get(struct reader *reader, size_t length)
{
	if (reader->bad || length > reader->length - reader->place) {
		reader->bad = true;
		return NULL;
	}
	const char *bytes = reader->bytes + reader->place;
	reader->place += length;
	return bytes;
}

static int64_t get_int(struct reader *reader)
{
	const char *bytes = get(reader, 8);
	uint64_t value = 0;
	for (size_t i = 0; bytes != NULL && i < 8; i++)
		value = value << 8 | (uint8_t)bytes[i];
	return (int64_t)value;
}

static const char *get_text(struct reader *reader, struct rt_arena *arena)
{
	int64_t length = get_int(reader);
	if (length < 0)
		reader->bad = true;
	const char *bytes = get(reader, (size_t)length);
	const char *text = bytes == NULL ? NULL : rt_arena_memdup(arena, bytes, (size_t)length);
	if (text == NULL)
		reader->bad = true;
	return text;
}

static struct account_limit get_limit(struct reader *reader)
{
	bool set = get_int(reader) == 1;
	return (struct account_limit){.set = set, .amount_minor = get_int(reader)};
}

static void seal_of(const char *bytes, size_t length, char seal[SEAL_BYTES])
{
	uint8_t hash[RT_DIGEST_BYTES];
	struct rt_digest digest;
	rt_digest_init(&digest);
	rt_digest_bytes(&digest, bytes, length);
	rt_digest_finish(&digest, hash);
	memcpy(seal, hash, SEAL_BYTES);
}

size_t cache_entry_write(const struct account_record *record, char bytes[CACHE_ENTRY_BYTES_MAX])
{
	struct writer writer = {.bytes = bytes, .limit = CACHE_ENTRY_BYTES_MAX};
	const struct account *account = &record->account;
	put(&writer, magic, sizeof(magic));
	put(&writer, record->ledger_id.bytes, sizeof(record->ledger_id.bytes));
	put(&writer, account->id.bytes, sizeof(account->id.bytes));
	put_int(&writer, record->version);
	put_int(&writer, record->created_us);
	put_int(&writer, (int64_t)account->side);
	put(&writer, account->currency, sizeof(account->currency));
	put_limit(&writer, &account->lower);
	put_limit(&writer, &account->upper);
	put_int(&writer, (int64_t)account->status);
	put_int(&writer, account->credit_line_minor);
	put_text(&writer, record->owner);
	put_text(&writer, record->label);
	char seal[SEAL_BYTES];
	seal_of(bytes, writer.length, seal);
	put(&writer, seal, sizeof(seal));
	return writer.full ? 0 : writer.length;
}

static bool is_sealed(const char *bytes, size_t length)
{
	if (length < sizeof(magic) + SEAL_BYTES || memcmp(bytes, magic, sizeof(magic)) != 0)
		return false;
	char seal[SEAL_BYTES];
	seal_of(bytes, length - SEAL_BYTES, seal);
	return memcmp(seal, bytes + length - SEAL_BYTES, SEAL_BYTES) == 0;
}

static void get_id(struct reader *reader, struct rt_uuid *id)
{
	const char *bytes = get(reader, sizeof(id->bytes));
	if (bytes != NULL)
		memcpy(id->bytes, bytes, sizeof(id->bytes));
}

static void get_account(struct reader *reader, struct account *account)
{
	int64_t side = get_int(reader);
	if (side != ACCOUNT_DEBIT_NORMAL && side != ACCOUNT_CREDIT_NORMAL)
		reader->bad = true;
	account->side = (enum account_side)side;
	const char *currency = get(reader, sizeof(account->currency));
	if (currency != NULL)
		memcpy(account->currency, currency, sizeof(account->currency));
	account->currency[sizeof(account->currency) - 1] = '\0';
	account->lower = get_limit(reader);
	account->upper = get_limit(reader);
	int64_t status = get_int(reader);
	if (status < ACCOUNT_ACTIVE || status > ACCOUNT_CLOSED)
		reader->bad = true;
	account->status = (enum account_status)status;
	account->credit_line_minor = get_int(reader);
}

bool cache_entry_read(const char *bytes, size_t length, const struct rt_uuid *ledger_id,
		      const struct rt_uuid *account_id, struct rt_arena *arena,
		      struct account_record *record)
{
	if (!is_sealed(bytes, length))
		return false;
	struct reader reader = {
		.bytes = bytes, .length = length - SEAL_BYTES, .place = sizeof(magic)};
	*record = (struct account_record){0};
	get_id(&reader, &record->ledger_id);
	get_id(&reader, &record->account.id);
	record->version = get_int(&reader);
	record->created_us = get_int(&reader);
	get_account(&reader, &record->account);
	record->owner = get_text(&reader, arena);
	record->label = get_text(&reader, arena);
	return !reader.bad && reader.place == reader.length &&
	       rt_uuid_equal(&record->ledger_id, ledger_id) &&
	       rt_uuid_equal(&record->account.id, account_id);
}
