/*
 * error.h - one enumeration of errors for the whole program.
 *
 * A function that can fail returns 0 or one of the negative codes below. The code is returned where
 * the error is not handled and logged where it is, never both. SIP and HTTP have one table each
 * that turns a code into a status.
 *
 * Layer: 0.  Thread: any.
 */
#ifndef HOTDESK_BASE_ERROR_H
#define HOTDESK_BASE_ERROR_H

#define HD_MUSTCHECK __attribute__((warn_unused_result))
#define HD_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Append-only: X(name, value, text). */
#define HD_ERROR_LIST(X)                                                                           \
	X(HD_EINVAL, -1, "invalid argument")                                                       \
	X(HD_ENOMEM, -2, "out of memory")                                                          \
	X(HD_ENOENT, -3, "not found")                                                              \
	X(HD_EEXIST, -4, "exists already")                                                         \
	X(HD_EPARSE, -5, "cannot be parsed")                                                       \
	X(HD_ELIMIT, -6, "over a limit")                                                           \
	X(HD_EBUSY, -7, "queue full, try again later")                                             \
	X(HD_ESTALE, -8, "out of order or stale")                                                  \
	X(HD_EACCESS, -9, "refused")                                                               \
	X(HD_ESTATE, -10, "not possible in this state")                                            \
	X(HD_ETIMEOUT, -11, "timed out")                                                           \
	X(HD_EUNSUPPORTED, -12, "not supported")                                                   \
	X(HD_ECONFLICT, -13, "changed meanwhile")                                                  \
	X(HD_EFULL, -14, "disk or map full")                                                       \
	X(HD_EIO, -15, "input/output error")                                                       \
	X(HD_ECORRUPT, -16, "record is damaged")                                                   \
	X(HD_EVERSION, -17, "written by a newer version")                                          \
	X(HD_ESYSTEM, -18, "operating system error")                                               \
	X(HD_EGONE, -19, "flow is gone")                                                           \
	X(HD_ESHUTDOWN, -20, "shutting down")

enum hd_error {
#define HD_ERROR_ENUM(name, value, text) name = value,
	HD_ERROR_LIST(HD_ERROR_ENUM)
#undef HD_ERROR_ENUM
};

/** The text of a code: static, never NULL, "success" for 0. */
const char *hd_strerror(int err);

#endif
