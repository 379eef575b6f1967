/*
 * The least cost of a call of a C function: it returns a stored value. The control for auth.user_id() and its siblings. Compiled by scripts/bench.sh into a temporary directory and never installed.
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

/* Made once for each call site of a query. */
PG_FUNCTION_INFO_V1(floor_kept);
Datum
floor_kept(PG_FUNCTION_ARGS)
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

/* Made once for the session, and good for ever: an identity never is, so nothing that is right can be as cheap. */
PG_FUNCTION_INFO_V1(floor_cached);
Datum
floor_cached(PG_FUNCTION_ARGS)
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
/* Writes down what was counted since the last time, under a name, and starts from nought. */
PG_FUNCTION_INFO_V1(count_ends);
Datum
count_ends(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	CALLGRIND_DUMP_STATS_AT(name);
	PG_RETURN_VOID();
}
#endif
