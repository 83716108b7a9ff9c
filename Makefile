# img: container images as block snapshots.  `make help` lists the targets.

CC       ?= gcc
PREFIX   ?= /usr/local
BUILD    ?= build
LIBDIR    = $(PREFIX)/lib/img
VERSION   = 0.1.0

CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. \
            -DIMG_VERSION='"$(VERSION)"' -DIMG_PARTS_DIR='"$(LIBDIR)"'
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu11 -fPIC -fvisibility=default -Wall -Wextra \
            -Wno-unused-parameter
# A linker that does not know it says so.
RELR     := -Wl,-z,pack-relative-relocs
RELR     := $(if $(shell echo 'int main(void) { return 0; }' | \
             $(CC) $(RELR) -xc - -o /dev/null 2>&1),,$(RELR))
LDFLAGS  += -Wl,--as-needed $(RELR)

ifeq ($(DEVELOPER),1)
CFLAGS   += -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2 \
            -Wcast-qual
endif

# The order of locks is watched: base/lock_order.h.
ifeq ($(CHECK_LOCKS),1)
CPPFLAGS += -DIMG_CHECK_LOCKS
endif

# What each library is for: docs/architecture.md.  The program itself links
# only what every verb needs; parts bring the rest when they are loaded.  An
# archive, where there is one, is a library less to load.
archive = $(if $(filter /%,$(shell $(CC) -print-file-name=lib$(1).a)),-l:lib$(1).a,-l$(1))
LIBS         := $(call archive,sqlite3) $(call archive,jansson) \
                -lm -ldl
FORMATS_LIBS  = -larchive -lext2fs -lcom_err
MACHINE_LIBS  = -lkmod -lblkid
SECCOMP_LIBS  = -lseccomp -ljansson

DIRS       = base storage image runtime machine cli
SRC        = $(foreach d,$(DIRS),$(wildcard $(d)/*.c))
# The parts: what includes a heavy library, and nothing that others call
# directly (base/part.h).
FORMATS    = $(wildcard image/tar_*.c image/dir_*.c image/tree*.c \
             image/entry.c image/rootfs.c image/raw.c image/ext4_*.c image/formats.c)
MACHINE    = machine/modules.c storage/probe.c
SECCOMP    = runtime/syscall_compile.c runtime/syscall_default.c \
             runtime/syscall_profile.c
MAIN       = $(filter-out $(FORMATS) $(MACHINE) $(SECCOMP),$(SRC))
PRELOAD    = $(wildcard machine/preload/*.c)

# V=1 shows every command.
ifeq ($(V),1)
say =
else
say = @echo '  $(1) $@';
endif

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
SAN       = $(BUILD)/san
LIB_OBJ  = $(call obj,$(filter-out cli/%,$(SRC)))

PROGRAMS = $(BUILD)/img $(BUILD)/img-formats.so $(BUILD)/img-machine.so \
           $(BUILD)/img-seccomp.so $(BUILD)/img-preload.so

.PHONY: all
all: $(PROGRAMS)

$(BUILD)/img: $(call obj,$(MAIN))
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic \
		-Wl,--exclude-libs,ALL -o $@ $^ $(LIBS)

$(BUILD)/img-formats.so: $(call obj,$(FORMATS))
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(FORMATS_LIBS)

$(BUILD)/img-machine.so: $(call obj,$(wildcard $(MACHINE)))
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(MACHINE_LIBS)

$(BUILD)/img-seccomp.so: $(call obj,$(SECCOMP))
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(SECCOMP_LIBS)

$(BUILD)/img-preload.so: $(PRELOAD)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) -shared -o $@ $^

# The first process of a container with --init, which is kept in the program as
# bytes: no C library, nothing to be found at run time (runtime/reaper.h).
REAPER_FLAGS = -Os -g0 -ffreestanding -fno-pic -fno-pie -static \
             -nostdlib -fno-stack-protector -fno-asynchronous-unwind-tables \
             -Wl,--build-id=none,-z,noexecstack,-z,noseparate-code,-s

$(BUILD)/reaper: runtime/reaper/reaper.c runtime/reaper/report.h
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) $(REAPER_FLAGS) -o $@ $<

$(BUILD)/runtime/reaper.o $(SAN)/runtime/reaper.o: $(BUILD)/reaper
$(BUILD)/runtime/reaper.o $(SAN)/runtime/reaper.o: \
	CPPFLAGS += -DIMG_REAPER='"$(BUILD)/reaper"'

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC  )$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(call obj,$(SRC) $(wildcard tests/tools/*.c tests/bench/*.c)))

# --- Tests -----------------------------------------------------------------
#
# Unit tests run unprivileged on this host, with sanitizers; each
# tests/unit/DIR/NAME_test.c is one program.  System tests drive the built
# program on a real device-mapper: directly where the kernel has one and we
# are root, else in the embedded kernel.

SAN_FLAGS = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
            -fno-sanitize-recover=undefined -DIMG_CHECK_LOCKS
UNIT_SRC  = $(wildcard tests/unit/*/*_test.c)
UNIT      = $(patsubst tests/unit/%.c,$(SAN)/unit/%,$(UNIT_SRC))
TEST_LIB  = $(wildcard tests/lib/*.c)
SAN_OBJ   = $(patsubst %.c,$(SAN)/%.o,$(SRC) $(TEST_LIB))
# cli/ is tested but for its main().
SAN_LIB   = $(filter-out $(SAN)/cli/main.o,$(SAN_OBJ))
ALL_LIBS  = $(LIBS) $(FORMATS_LIBS) $(MACHINE_LIBS) $(SECCOMP_LIBS)

$(SAN)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC  )$(CC) $(CPPFLAGS) $(CFLAGS) $(SAN_FLAGS) -MMD -MP -c -o $@ $<

$(SAN)/libimg.a: $(SAN_LIB)
	@rm -f $@
	$(call say,AR  )ar rcs $@ $^

$(SAN)/unit/%: $(SAN)/tests/unit/%.o $(SAN)/libimg.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(SAN_FLAGS) -rdynamic -o $@ $< $(SAN)/libimg.a \
		$(ALL_LIBS) -lcmocka -lm

# Each fuzzer's corpus, fed to it once more.
REPLAY    = $(patsubst tests/fuzz/%_fuzz.c,$(SAN)/replay/%,$(wildcard \
            tests/fuzz/*_fuzz.c))

$(SAN)/replay/%: $(SAN)/tests/fuzz/%_fuzz.o $(SAN)/tests/fuzz/replay.o \
                 $(SAN)/libimg.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(SAN_FLAGS) -o $@ $^ $(ALL_LIBS)

-include $(SAN_OBJ:.o=.d)
-include $(patsubst %.c,$(SAN)/%.d,$(UNIT_SRC) $(wildcard tests/fuzz/*.c))
.SECONDARY:

# Fuzzing: coverage-guided by clang's libFuzzer (`make fuzz`), and what is
# kept in tests/data/corpus/NAME replayed by `make check-unit`.
FUZZ      = $(BUILD)/fuzz
FUZZ_SECONDS ?= 60
FUZZERS   = $(patsubst tests/fuzz/%.c,$(FUZZ)/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SRC  = $(filter-out cli/% machine/% runtime/%,$(SRC)) \
            tests/lib/ext4_change.c tests/lib/tar_make.c

$(FUZZ)/%: tests/fuzz/%.c $(FUZZ_SRC)
	@mkdir -p $(@D)
	$(call say,FUZZ)clang $(CPPFLAGS) -std=gnu11 -O1 -g -o $@ \
		-fsanitize=fuzzer,address,undefined $^ $(ALL_LIBS)

.PHONY: fuzz
fuzz: deps
	$(MAKE) $(FUZZERS)
	set -e; for f in $(FUZZERS); do \
		mkdir -p $(FUZZ)/corpus/$$(basename $$f); \
		$$f -max_total_time=$(FUZZ_SECONDS) -timeout=20 \
			-artifact_prefix=$(FUZZ)/ \
			$(FUZZ)/corpus/$$(basename $$f) \
			$$(ls -d tests/data/corpus/$$(basename $$f) 2>/dev/null); \
	done

.PHONY: deps
deps:
	@tests/deps

# What asks the metadata reader for the system tests and the bench.
METAWALK  = $(BUILD)/metawalk
$(METAWALK): $(call obj,tests/tools/metawalk.c $(wildcard storage/meta*.c) \
             $(addprefix base/,crc32c.c err.c file.c num.c str.c))
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

.PHONY: unit-programs
unit-programs: $(UNIT) $(REPLAY)

.PHONY: check-unit
check-unit: deps
	$(MAKE) unit-programs
	tests/run-unit $(UNIT) $(REPLAY)

.PHONY: check-system
check-system: deps
	$(MAKE) all $(METAWALK)
	tests/run-system

.PHONY: check
check: deps
	$(MAKE) DEVELOPER=1 all
	$(MAKE) DEVELOPER=1 check-unit
	$(MAKE) check-system
	$(MAKE) lint

# The system tests on the distribution's own kernel under QEMU, with two
# processors and udevd; FILES= says which.  Takes hours where there is no KVM.
.PHONY: check-qemu
check-qemu: deps
	$(MAKE) all $(METAWALK)
	tests/qemu/run env IMG_TEST_LIMIT=7200 IMG_TEST_HOST=no \
		tests/run-system $(FILES)

# The campaigns of check-system at length: PARTS, ROUNDS and SEED may say more.
.PHONY: torture
torture: deps
	$(MAKE) all
	tests/torture $(PARTS)

.PHONY: lint
lint: deps
	tests/lint/all

$(BUILD)/bench/volumes: $(call obj,tests/bench/volumes.c) $(LIB_OBJ)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LIBS)

$(BUILD)/bench/timer: tests/bench/timer.c
	@mkdir -p $(@D)
	$(call say,CC  )$(CC) $(CPPFLAGS) -O2 -Wall -static -o $@ $<

.PHONY: bench
bench: deps
	$(MAKE) all $(BUILD)/bench/volumes $(BUILD)/bench/timer
	tests/bench/run

# Containers alone, on the distribution's own kernel with two processors.
.PHONY: bench-qemu
bench-qemu: deps
	$(MAKE) all $(BUILD)/bench/timer
	tests/system/lib/make-base $(BUILD)/cache/base.tar
	tests/qemu/run bash tests/bench/runtime $(abspath $(BUILD)/img) \
		$(abspath $(BUILD)/bench/timer $(BUILD)/cache/base.tar)

.PHONY: demo
demo: deps
	$(MAKE) all
	tests/demo/run

# --- Installation ----------------------------------------------------------

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR) \
		$(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(BUILD)/img $(DESTDIR)$(PREFIX)/bin/img
	install -m 644 $(filter %.so,$(PROGRAMS)) $(DESTDIR)$(LIBDIR)
	install -m 644 docs/img.1 $(DESTDIR)$(PREFIX)/share/man/man1/img.1

.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/img \
		$(DESTDIR)$(PREFIX)/share/man/man1/img.1
	rm -rf $(DESTDIR)$(LIBDIR)

.PHONY: clean
clean:
	rm -rf $(BUILD)

.PHONY: help
help:
	@echo 'make all           build build/img and its parts'
	@echo 'make check         build with all warnings, unit and system tests, lint'
	@echo 'make check-unit    unit tests, with sanitizers'
	@echo 'make check-system  system tests on a real device-mapper'
	@echo 'make check-qemu    the same on Debian'"'"'s own kernel, two processors: FILES='
	@echo 'make torture       crashes, failing disks, power cuts, a soak: PARTS= ROUNDS= SEED='
	@echo 'make fuzz          fuzz the parsers, FUZZ_SECONDS=60 each'
	@echo 'make lint          format, static analysis, layers, docs'
	@echo 'make bench         the figures, beside what others take'
	@echo 'make bench-qemu    those of containers, on Debian'"'"'s own kernel'
	@echo 'make demo          the layered example, from Debian to a web site'
	@echo 'make install       to PREFIX [$(PREFIX)]'
	@echo 'make uninstall'
	@echo 'make clean'
	@echo
	@echo 'CHECK_LOCKS=1 (after make clean) watches the order of locks.'
	@echo 'DEVELOPER=1 adds warnings and makes them errors.'
