/*
 * Feeds every file of a corpus to a fuzzer's entry, under the sanitizers of
 * the unit tests: replay DIRECTORY.  Prints a line for each, as cmocka does.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1u << 20)

static int replay(const char *dir, const char *name)
{
	static uint8_t data[INPUT_MAX];
	char path[4096];
	size_t size;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f) {
		perror(path);
		return -1;
	}
	size = fread(data, 1, sizeof(data), f);
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(data, size);
	(void)printf("[       OK ] %s\n", name);
	return 0;
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : getenv("CORPUS");
	struct dirent *entry;
	int status = 0;
	DIR *d = dir ? opendir(dir) : NULL;

	if (!d) {
		perror(dir ? dir : "CORPUS");
		return 1;
	}
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' && replay(dir, entry->d_name) < 0)
			status = 1;
	(void)closedir(d);
	return status;
}
