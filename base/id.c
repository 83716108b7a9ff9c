#include "base/id.h"

#include <string.h>
#include <sys/random.h>

int id_new(struct id *ret, struct img_err *err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[ID_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return img_err_sys(err, "cannot read random numbers");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		ret->hex[2 * i] = digits[bytes[i] >> 4];
		ret->hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret->hex[ID_LEN] = '\0';
	return 0;
}

bool id_is_prefix(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return len > 0 && len <= ID_LEN && text[len] == '\0';
}
