/*
 * C functions that return a stored value: the least cost of a call, which auth.user_id() and the other readers are
 * compared with. scripts/bench.sh compiles this file into a temporary directory; it is never installed.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#ifdef WITH_CALLGRIND
#include <valgrind/callgrind.h>
#endif

PG_MODULE_MAGIC;

static const char *const answer = "6f4d2f0a-5b7e-4c8e-9d51-0123456789ab";

/* Makes the text once per call site of a query. */
PG_FUNCTION_INFO_V1(floor_per_query);
Datum
floor_per_query(PG_FUNCTION_ARGS)
{
	FmgrInfo   *site = fcinfo->flinfo;

	if (site->fn_extra == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(site->fn_mcxt);

		site->fn_extra = cstring_to_text(answer);
		MemoryContextSwitchTo(before);
	}
	PG_RETURN_TEXT_P((text *) site->fn_extra);
}

/* Makes the text once per session. An identity does not stay valid that long, so no correct reader is as cheap. */
PG_FUNCTION_INFO_V1(floor_per_session);
Datum
floor_per_session(PG_FUNCTION_ARGS)
{
	static text *made = NULL;

	if (made == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

		made = cstring_to_text(answer);
		MemoryContextSwitchTo(before);
	}
	PG_RETURN_TEXT_P(made);
}

#ifdef WITH_CALLGRIND
/* Writes the counts since the last call under a name, and restarts from zero. */
PG_FUNCTION_INFO_V1(count_ends);
Datum
count_ends(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	CALLGRIND_DUMP_STATS_AT(name);
	PG_RETURN_VOID();
}
#endif
