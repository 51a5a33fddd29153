/* error.c - see error.h. */
#include "hotdesk/base/error.h"

const char *hd_strerror(int err)
{
	switch (err) {
	case 0:
		return "success";
#define ERROR_CASE(name, value, text)                                                              \
	case name:                                                                                 \
		return text;
		HD_ERROR_LIST(ERROR_CASE)
#undef ERROR_CASE
	default:
		return "unknown error";
	}
}
