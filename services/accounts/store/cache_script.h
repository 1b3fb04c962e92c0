/* What Redis does for the cache, each in one step. For store/cache.c. Source:
 * docs/decisions/0016-metadata-cache.md.
 *
 * Every script begins by asking the server who it is: the replication id is part of each key, so
 * that whatever a server took over from another one is not there, and a server that isn't a master
 * is not used. KEYS[1] is the account's. An entry is its row's version, a colon, and the bytes of
 * cache_entry.h; beside it may be a token (:t), which lets a reader fill, and a shutter (:s), which
 * keeps tokens from being given while a change is on its way. */
#pragma once

#define CACHE_SCRIPT_KEY                                                                           \
	"local info = redis.call('INFO', 'replication')\n"                                         \
	"if not string.find(info, 'role:master', 1, true) then return 'R' end\n"                   \
	"local id = string.match(info, 'master_replid:(%x+)')\n"                                   \
	"local key = 'daler:accounts:v2:' .. id .. ':' .. KEYS[1]\n"

/* ARGV: a new token, its life in ms. Returns E and the entry; or T and a ticket; or S when no
 * ticket is given. */
#define CACHE_SCRIPT_FIND                                                                          \
	CACHE_SCRIPT_KEY                                                                           \
	"local entry = redis.call('GET', key)\n"                                                   \
	"if entry then return 'E' .. entry end\n"                                                  \
	"if redis.call('EXISTS', key .. ':s') == 1 then return 'S' end\n"                          \
	"local token = redis.call('GET', key .. ':t')\n"                                           \
	"if not token then\n"                                                                      \
	"  token = ARGV[1]\n"                                                                      \
	"  redis.call('SET', key .. ':t', token, 'PX', ARGV[2])\n"                                 \
	"end\n"                                                                                    \
	"return 'T' .. id .. ':' .. token"

/* ARGV: the ticket, the version, the entry, its life in ms. Returns F when it was taken, S when
 * not. */
#define CACHE_SCRIPT_FILL                                                                          \
	CACHE_SCRIPT_KEY                                                                           \
	"local token = redis.call('GET', key .. ':t')\n"                                           \
	"if not token or id .. ':' .. token ~= ARGV[1] then return 'S' end\n"                      \
	"local entry = redis.call('GET', key)\n"                                                   \
	"if entry and tonumber(string.match(entry, '^(%d+):')) > tonumber(ARGV[2]) then return "   \
	"'S' end\n"                                                                                \
	"redis.call('SET', key, ARGV[2] .. ':' .. ARGV[3], 'PX', ARGV[4])\n"                       \
	"return 'F'"

/* ARGV: how long, in ms. Returns D. */
#define CACHE_SCRIPT_SHUT                                                                          \
	CACHE_SCRIPT_KEY                                                                           \
	"redis.call('DEL', key, key .. ':t')\n"                                                    \
	"redis.call('SET', key .. ':s', '1', 'PX', ARGV[1])\n"                                     \
	"return 'D'"

/* Returns D. */
#define CACHE_SCRIPT_DROP                                                                          \
	CACHE_SCRIPT_KEY                                                                           \
	"redis.call('DEL', key, key .. ':t', key .. ':s')\n"                                       \
	"return 'D'"
