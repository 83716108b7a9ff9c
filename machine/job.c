#include "machine/job.h"

#include "base/cleanup.h"

#include <stdbool.h>
#include <string.h>

#define MAGIC UINT64_C(0x31626f6a676d69) /* "imgjob1" */

static void put_number(struct str *out, uint64_t value)
{
	str_addn(out, (const char *)&value, sizeof(value));
}

static void put_string(struct str *out, const char *text)
{
	size_t len = strlen(text);

	put_number(out, len);
	str_addn(out, text, len);
}

static void put_list(struct str *out, char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	put_number(out, n);
	for (size_t i = 0; i < n; i++)
		put_string(out, list[i]);
}

void job_encode(const struct job *job, struct str *ret)
{
	put_number(ret, MAGIC);
	put_list(ret, job->argv);
	put_list(ret, job->env);
	put_list(ret, job->shares);
	put_string(ret, job->cwd);
	put_string(ret, job->hostname);
	put_string(ret, job->program);
	put_string(ret, job->state);
	put_number(ret, job->umask);
	put_number(ret, job->open_files_soft);
	put_number(ret, job->open_files_hard);
	put_number(ret, job->terminal);
}

/* What is left to read; bad once something did not fit. */
struct reader {
	const char *at;
	size_t left;
	bool bad;
};

static uint64_t get_number(struct reader *in)
{
	uint64_t value = 0;

	if (in->left < sizeof(value)) {
		in->bad = true;
		return 0;
	}
	memcpy(&value, in->at, sizeof(value));
	in->at += sizeof(value);
	in->left -= sizeof(value);
	return value;
}

static char *get_string(struct reader *in)
{
	uint64_t len = get_number(in);
	char *text;

	if (in->bad || len > in->left || memchr(in->at, '\0', len)) {
		in->bad = true;
		return NULL;
	}
	text = mem_alloc(len + 1);
	memcpy(text, in->at, len);
	text[len] = '\0';
	in->at += len;
	in->left -= len;
	return text;
}

static char **get_list(struct reader *in)
{
	uint64_t n = get_number(in);
	char **list;

	/* each string takes at least its own length */
	if (in->bad || n > in->left / sizeof(uint64_t)) {
		in->bad = true;
		return NULL;
	}
	list = mem_zalloc((n + 1) * sizeof(*list));
	for (uint64_t i = 0; i < n && !in->bad; i++)
		list[i] = get_string(in);
	return list;
}

int job_decode(const char *bytes, size_t size, struct job *ret,
	       struct img_err *err)
{
	struct reader in = { .at = bytes, .left = size };
	struct job job = { 0 };

	if (get_number(&in) != MAGIC)
		in.bad = true;
	job.argv = get_list(&in);
	job.env = get_list(&in);
	job.shares = get_list(&in);
	job.cwd = get_string(&in);
	job.hostname = get_string(&in);
	job.program = get_string(&in);
	job.state = get_string(&in);
	job.umask = get_number(&in);
	job.open_files_soft = get_number(&in);
	job.open_files_hard = get_number(&in);
	job.terminal = get_number(&in);
	if (in.bad || in.left || !job.argv[0]) {
		job_release(&job);
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the machine's job is damaged");
	}
	*ret = job;
	return 0;
}

static void release_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void job_release(struct job *job)
{
	release_list(job->argv);
	release_list(job->env);
	release_list(job->shares);
	free(job->cwd);
	free(job->hostname);
	free(job->program);
	free(job->state);
	*job = (struct job){ 0 };
}
