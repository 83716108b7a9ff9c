#include "cli/help.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

static void print_rows(FILE *out, const struct option_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct option_row *row = &table->rows[i];
		char left[64], letter[8] = "    ";

		if (row->letter)
			(void)snprintf(letter, sizeof(letter), "-%c, ",
				       row->letter);
		(void)snprintf(left, sizeof(left), "%s--%s%s%s", letter,
			       row->name, row->arg ? " " : "",
			       row->arg ? row->arg : "");
		(void)fprintf(out, "  %-28s %s\n", left, row->help);
	}
}

void help_all(FILE *out)
{
	size_t width = 0;

	(void)fprintf(out,
		      "Usage: img [OPTIONS] VERB [OPTIONS] [ARGUMENTS]\n\n"
		      "Container images as block snapshots: one snapshot a "
		      "layer, a container, a commit.\n\n"
		      "Verbs:\n");
	for (size_t i = 0; i < n_verbs; i++)
		width = strlen(verbs[i]->name) > width ? strlen(verbs[i]->name)
						       : width;
	for (size_t i = 0; i < n_verbs; i++)
		(void)fprintf(out, "  %-*s  %s\n", (int)width, verbs[i]->name,
			      verbs[i]->summary);
	(void)fprintf(out, "\nOptions:\n");
	print_rows(out, &global_options);
	(void)fprintf(out, "\n'img help VERB' tells more.\n");
}

char *help_usage(const struct verb *verb)
{
	return mem_printf("img %s%s%s%s", verb->name,
			  verb->options.n ? " [OPTIONS]" : "",
			  verb->arguments[0] ? " " : "", verb->arguments);
}

void help_verb(FILE *out, const struct verb *verb)
{
	img_auto(img_mem_release) char *usage = help_usage(verb);

	(void)fprintf(out, "Usage: %s\n\n%s\n", usage, verb->summary);
	if (verb->description)
		(void)fprintf(out, "\n%s\n", verb->description);
	if (verb->options.n) {
		(void)fprintf(out, "\nOptions:\n");
		print_rows(out, &verb->options);
	}
}

/* Text for man(7): a leading dot or quote would be a request, a "-" must not
 * become a hyphen, a "\" begins an escape. */
static void man_text(FILE *out, const char *text)
{
	for (const char *s = text; *s; s++) {
		if ((s == text || s[-1] == '\n') && (*s == '.' || *s == '\''))
			(void)fputs("\\&", out);
		if (*s == '\n' && s[1] == '\n') {
			(void)fputs("\n.PP\n", out);
			s++;
		} else if (*s == '-') {
			(void)fputs("\\-", out);
		} else if (*s == '\\') {
			(void)fputs("\\e", out);
		} else {
			(void)fputc(*s, out);
		}
	}
	(void)fputc('\n', out);
}

static void man_rows(FILE *out, const struct option_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct option_row *row = &table->rows[i];

		(void)fprintf(out, ".TP\n");
		if (row->letter)
			(void)fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
		(void)fprintf(out, "\\fB\\-\\-");
		for (const char *s = row->name; *s; s++)
			(void)fprintf(out, *s == '-' ? "\\-" : "%c", *s);
		(void)fprintf(out, "\\fR");
		if (row->arg)
			(void)fprintf(out, " \\fI%s\\fR", row->arg);
		(void)fputc('\n', out);
		man_text(out, row->help);
	}
}

static const char man_head[] =
	".\\\" Made by `img help --man` from the table of verbs.\n"
	".TH IMG 1 \"\" \"img " IMG_VERSION "\"\n"
	".SH NAME\n"
	"img \\- container images as block snapshots\n"
	".SH SYNOPSIS\n"
	".B img\n"
	"[\\fIOPTIONS\\fR] \\fIVERB\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n"
	".SH DESCRIPTION\n"
	"An image is a thin volume of a device\\-mapper thin pool with an ext4\n"
	"file system in it; a container and a commit are each one snapshot, and\n"
	"cost the same for 10 MB and for 100 GB.\n"
	".PP\n"
	"Images are named \\fINAME\\fR[:\\fITAG\\fR]; the tag is \"latest\" where\n"
	"none is given.  Containers are known by a name, an id, or any unique\n"
	"beginning of an id.  The first verb that needs a store makes one.\n"
	".SH OPTIONS\n";

static const char man_tail[] =
	".SH ENVIRONMENT\n"
	".TP\n\\fBIMG_ROOT\\fR, \\fBIMG_RUN\\fR\n"
	"Defaults for \\fB\\-\\-root\\fR and \\fB\\-\\-run\\-root\\fR.\n"
	".TP\n\\fBIMG_STATE\\fR\n"
	"State disk of \\fBimg machine exec\\fR.\n"
	".SH FILES\n"
	".TP\n.I /var/lib/img\nThe store: catalog, pool, containers.\n"
	".TP\n.I /run/img\nLocks; gone after a reboot.\n"
	".SH EXIT STATUS\n"
	"\\fBrun\\fR, \\fBstart \\-\\-attach\\fR and \\fBmachine exec\\fR exit with\n"
	"the status of the command: 128+N after signal N; 125 when img itself\n"
	"failed, 126 when the command cannot be executed, 127 when it was not\n"
	"found.  So does \\fBexec\\fR, where 126 also says that the container has\n"
	"not the user or the directory, and 1 that it is not running.\n"
	"The other verbs exit with 0, or 1 after a failure, and an unknown\n"
	"verb with 125.\n"
	".SH SEE ALSO\n"
	".BR dmsetup (8),\n.BR ext4 (5),\n.BR namespaces (7)\n";

void help_man(FILE *out)
{
	(void)fputs(man_head, out);
	man_rows(out, &global_options);
	(void)fputs(".SH VERBS\n", out);
	for (size_t i = 0; i < n_verbs; i++) {
		const struct verb *verb = verbs[i];
		img_auto(img_mem_release) char *usage = help_usage(verb);

		(void)fprintf(out, ".SS \"%s\"\n", usage);
		man_text(out, verb->summary);
		if (verb->description) {
			(void)fputs(".PP\n", out);
			man_text(out, verb->description);
		}
		man_rows(out, &verb->options);
	}
	(void)fputs(man_tail, out);
}
