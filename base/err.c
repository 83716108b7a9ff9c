#define IMG_ERR_DEFINES
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append_errno(struct img_err *err)
{
	size_t len = strlen(err->msg);
	char text[96];

	if (err->sys_errno)
		(void)snprintf(err->msg + len, sizeof(err->msg) - len, ": %s",
			       strerror_r(err->sys_errno, text, sizeof(text)));
}

int img_err_set(struct img_err *err, enum img_code code, int sys_errno,
		const char *fmt, ...)
{
	va_list ap;

	if (err->code != IMG_OK)
		return -(int)err->code;
	err->code = code;
	err->sys_errno = sys_errno;
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	append_errno(err);
	return -(int)code;
}

static enum img_code code_of_errno(int e)
{
	switch (e) {
	case ENOSPC:
	case EDQUOT:
		return IMG_E_NO_SPACE;
	case ENOENT:
		return IMG_E_NOT_FOUND;
	case EBUSY:
		return IMG_E_BUSY;
	case EINTR:
		return IMG_E_INTERRUPTED;
	default:
		return IMG_E_SYS;
	}
}

int img_err_sys(struct img_err *err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (err->code != IMG_OK)
		return -(int)err->code;
	err->code = code_of_errno(saved);
	err->sys_errno = saved;
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	append_errno(err);
	return -(int)err->code;
}

int img_err_prefix(struct img_err *err, const char *fmt, ...)
{
	char old[sizeof(err->msg)];
	size_t room = sizeof(err->msg), len;
	va_list ap;

	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, room, fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	if (len + 3 < room) {
		memcpy(err->msg + len, ": ", 3);
		len += 2;
		/* What does not fit is cut. */
		(void)strncat(err->msg, old, room - len - 1);
	}
	return -(int)err->code;
}

int img_err_hint(struct img_err *err, const char *fmt, ...)
{
	size_t len = strlen(err->msg);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err->msg + len, sizeof(err->msg) - len, fmt, ap);
	va_end(ap);
	return -(int)err->code;
}
