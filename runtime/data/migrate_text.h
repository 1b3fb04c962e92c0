/* The text of migrations, for runtime/data alone. */
#pragma once

/* Puts the quoted role where `:runtime_role` stands in plain SQL: not in string literals (also
 * E'' and dollar-quoted ones), quoted identifiers and comments, and not as `::runtime_role` or
 * `:runtime_role_2`. Owns: the caller frees. Pure. */
char *migrate_text(const char *sql, const char *runtime_role);
