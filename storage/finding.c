#include "storage/finding.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

struct finding *findings_add(struct findings *findings, const char *kind)
{
	struct finding *finding;

	if (findings->n == findings->room) {
		findings->room = findings->room ? 2 * findings->room : 8;
		findings->all = mem_realloc(
			findings->all, findings->room * sizeof(*findings->all));
	}
	finding = &findings->all[findings->n++];
	*finding = (struct finding){ .kind = kind };
	return finding;
}

void finding_object(struct finding *finding, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(finding->object, sizeof(finding->object), fmt, ap);
	va_end(ap);
}

void finding_text(struct finding *finding, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(finding->text, sizeof(finding->text), fmt, ap);
	va_end(ap);
}

void finding_remedy(struct finding *finding, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(finding->remedy, sizeof(finding->remedy), fmt, ap);
	va_end(ap);
}

bool findings_has(const struct findings *findings, const struct finding *like)
{
	for (size_t i = 0; i < findings->n; i++)
		if (strcmp(findings->all[i].kind, like->kind) == 0 &&
		    strcmp(findings->all[i].object, like->object) == 0)
			return true;
	return false;
}

void findings_release(struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		free(findings->all[i].name);
	img_mem_release(&findings->all);
	*findings = (struct findings){ 0 };
}
