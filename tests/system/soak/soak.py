"""soak.py IMG BASE.TAR SECONDS STEPS [DRIVER]: so many random commands of the
life of containers and volumes, or for so long, on a new store in IMG_ROOT:
alone, two at once, or killed in the middle, and after each what must hold.
SEED=N repeats the choices of another run; VERBOSE=1 tells them.  Wants a kernel
with device-mapper."""
import collections, os, random, shutil, signal, sys, tempfile, time

from act import Says
from acts import Acts
from model import DEAF, POLITE, Image, Model, Volume, differences, script
from volumes import ANONYMOUS
from world import Fault, Seen, World, wait_until

# What a command may say that came too late, or in the very moment.
RACES = ("another process is using it", "there is no container", "is taken",
         "meanwhile", "it is not running", "it is running", "it runs already",
         "there is no image", "was made from it", "paused", "has a name",
         "its first process is not known", "has no cgroup",
         "was killed before it could start", "already", "has no snapshot",
         "it is in use by", "a container has it", "there is no volume",
         "the container has ended")
WHOLE_EVERY = 12  # steps
KEPT = 60  # commands that a failure tells
LOST = Says(err="too late, and said so")  # it had no effect


class Candidate:
    """A model that may hold now, and what the commands say if it does."""
    def __init__(self, model, *says):
        self.model, self.says = model, list(says)


def lost(command):
    return (command.status > 0 and command.err.startswith("img: ") and
            any(r in command.err for r in RACES))


def fits(command, says):
    """@says: None, if it was killed."""
    if says is None or command.status < 0:
        return says is None and command.status == -signal.SIGKILL
    if says is LOST:
        return lost(command)
    if command.status != says.status:
        return False
    if says.err is None:
        told = not command.err or (says.note and says.note in command.err)
    else:
        told = (command.err.startswith("img: ") and says.err in command.err and
                command.err.count("\n") == 1)
    return told and says.out in (None, command.out)


class Soak:
    def __init__(self, world, seed):
        self.world, self.seed, self.rng = world, seed, random.Random()
        self.acts = Acts(self.rng)
        self.model = Model()
        self.log = collections.deque(maxlen=KEPT)
        self.took_s = {}  # by verb
        self.count = collections.Counter()
        self.cut_off = False  # a change that is recorded, since the last check
        self.step = 0

    def tell(self, text):
        self.log.append("%d. %s" % (self.step, text))
        if os.environ.get("VERBOSE"):
            print(self.log[-1], flush=True)

    def prepare(self, tar):
        w = self.world
        w.ask("init", "--driver", w.driver, "--volume-size", "64M",
              *(["--data-size", "2G", "--metadata-size", "16M"]
                if w.driver == "thin" else []))
        self.model.can_resize = w.driver == "thin"
        w.ask("import", "-q", tar, "base")
        w.ask("run", "--name", "one", "base", "sh", "-c",
              "echo none >/mark; : >/starts")
        ident = w.ask("commit", "-c", 'CMD ["sh", "-c", "%s"]' % script(DEAF),
                      "one", "first").strip()
        w.ask("rm", "one")
        w.ask("rmi", "base")
        w.settle_base()
        self.model.add_image("first", Image(ident, DEAF, 0, "none"))

    def after(self, *acts):
        """The candidate that these acts make, in this order."""
        new = self.model.copy()
        return Candidate(new, *[a.effect(new) for a in acts])

    def before_end(self, one, other):
        """The other, while what one starts has not ended by itself yet."""
        new = self.model.copy()
        new.lasting = True
        says = one.effect(new), other.effect(new)
        new.lasting = False
        return Candidate(new, *says)

    # What was said, and what is there.

    def look_into(self, seen, about, images, volumes):
        """What is in those that the step is about, and at times in others."""
        w = self.world
        look = {n for n in about if n in seen.containers}
        others = sorted(set(seen.containers) - look)
        if others and self.rng.random() < 0.3:
            look.add(self.rng.choice(others))
        for name in sorted(look):
            w.look_into(seen, "container", name)
        if images and self.rng.random() < 0.3:
            name = self.rng.choice(images)
            if name in seen.names and name not in seen.containers:
                w.look_into(seen, "image", name)
        look = {v for v in volumes if v in seen.volumes}
        if seen.volumes and self.rng.random() < 0.1:
            look.add(self.rng.choice(sorted(seen.volumes)))
        for name in sorted(look):
            w.look_into_volume(seen, name, min(seen.names))

    def bind(self, candidates, commands):
        """The ids of new images, where they were told."""
        for c in candidates:
            for command, says in zip(commands, c.says):
                if says and says.new and command.status == 0:
                    says.new.id = command.out.strip()

    def judge(self, candidates, commands, about, images, volumes=(),
              later=False):
        """Takes on the candidate that holds: at once or, where a command
        returns before all its effect, soon."""
        said = "\n".join("  %s" % c for c in commands)
        self.bind(candidates, commands)
        fitting = [c for c in candidates if all(map(fits, commands, c.says))]
        if not fitting:
            raise Fault("what was said is none of what may be:\n%s\nbut\n%s" % (
                said, "\n".join(sorted({"  %s" % (c.says,)
                                        for c in candidates}))))
        why = []

        def look():
            self.world.quiet()
            seen = self.world.see()
            del why[:]
            for contents in False, True:
                if contents:
                    self.look_into(seen, about, images, volumes)
                bad = [differences(c.model, seen) for c in fitting]
                if all(bad):
                    why.extend("; ".join(b) for b in bad)
                    return None
            self.model = fitting[bad.index([])].model
            return seen

        def tell():
            return "what is there: %s\n%s" % (
                "\n or ".join(sorted(set(why), key=len)[:5]), said)
        seen = wait_until(look, tell) if later else look()
        if not seen:
            raise Fault(tell())
        self.world.check(seen)
        self.world.check_limits(self.model)

    def await_up(self, model, about):
        """Those that run have said so: it is certain what they do then."""
        rows = dict(self.world.sql("SELECT name, id FROM containers"))
        for name in about:
            c = model.containers.get(name)
            if c and c.state == "running" and name in rows:
                wait_until(lambda: self.world.log_lines(rows[name]) >= c.lines,
                           lambda: "%s does not say that it is up" % name)

    # The steps.

    def one(self, act):
        self.tell("img " + " ".join(act.argv))
        candidate = self.after(act)
        begin = time.monotonic()
        command = self.world.begin(act.argv).end()
        self.took_s[act.verb()] = time.monotonic() - begin
        if fits(command, candidate.says[0]):
            self.await_up(candidate.model, act.about)
        self.judge([candidate], [command], act.about, act.images, act.volumes,
                   act.later)

    def two(self, one, other):
        """Both are as if one had come after the other; of two that want the
        same one may be told that it came too late.  What a snapshot or an image
        caught of a change at once would be seen by nobody, and what is paused
        in the middle does not end: those do not meet."""
        if self.catches(one, other) or self.catches(other, one):
            self.one(one)
            return self.one(other)
        self.tell("img %s & img %s" % (" ".join(one.argv), " ".join(other.argv)))
        commands = [self.world.begin(a.argv) for a in (one, other)]
        for command in commands:
            command.end()
        candidates = [self.after(one, other)]
        back = self.after(other, one)
        candidates.append(Candidate(back.model, *reversed(back.says)))
        about = one.about + other.about
        if one.meets(other):
            first, second = self.after(one), self.after(other)
            candidates += [Candidate(first.model, first.says[0], LOST),
                           Candidate(second.model, LOST, second.says[0])]
        if set(one.about) & set(other.about):
            candidates.append(self.before_end(one, other))
            back = self.before_end(other, one)
            candidates.append(Candidate(back.model, *reversed(back.says)))
            candidates = self.meet(candidates, (one, other), commands, about)
        else:
            for c in candidates:
                if all(map(fits, commands, c.says)):
                    self.await_up(c.model, about)
        self.judge(candidates, commands, about, one.images + other.images,
                   one.volumes + other.volumes, True)

    def catches(self, one, other):
        if one.argv[:2] == other.argv[:2] == ["volume", "resize"]:
            return True  # both may add to what there was before either
        if not set(one.about) & set(other.about):
            return False
        if one.verb() == "pause":
            return (other.verb() in ("exec", "run") or
                    other.argv[:2] == ["start", "-a"])
        return ((one.verb() == "commit" or
                 one.argv[:2] == ["snapshot", "create"]) and
                other.verb() in ("start", "restart", "exec", "snapshot"))

    def meet(self, candidates, acts, commands, about):
        """What is done to the same containers in more than one step mixes:
        they are ended, and may have been started by both.  What ends one ends
        also what was entered into it, and whoever waits for it."""
        for n, command in enumerate(commands):
            ended = (acts[n].verb() in ("exec", "start", "run") and
                     command.status == 137 and
                     acts[1 - n].verb() in ("stop", "restart", "kill", "rm"))
            if not ended and not lost(command) and not any(
                    fits(command, c.says[n]) for c in candidates):
                raise Fault("what was said is none of what may be: %s" %
                            command)
        self.bind(candidates, commands)
        self.world.quiet()
        self.end_for_certain(about)
        models = [c.model for c in candidates] + [self.model.copy()]
        says = [Says(c.status, "img: " if c.err else None) for c in commands]
        return [Candidate(m, *says) for m in self.halves(models, set(about))]

    def killed(self, act):
        """kill -9 at a random moment, of the command or of all that it is."""
        delay = self.rng.random() * self.took_s.get(act.verb(), 0.2)
        everybody = self.rng.random() < 0.4
        before = set(self.world.processes())
        command = self.world.begin(act.argv)
        time.sleep(delay)
        victims = {command.process.pid}
        if everybody:
            victims |= set(self.world.processes()) - before
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass  # it has ended
        command.end()
        self.tell("img %s: kill -9 of %s after %.3f s: status %d" % (
            " ".join(act.argv), "all" if everybody else "it", delay,
            command.status))
        self.cut_off = self.cut_off or bool(act.images or act.volumes)
        done = self.after(act)
        models = self.halves([self.model.copy(), done.model],
                             set(act.about))
        models += self.half_volumes(models, done.model)
        says = None if command.status < 0 else done.says[0]
        # The next command sets things right, but for volumes whose names
        # nobody knows: those wait for who wants to look into them.
        self.world.ask("ps")
        if ANONYMOUS in act.volumes:
            self.world.ask("volume", "prune", "-f")
            for model in models:
                model.prune()
        self.world.quiet()
        self.end_for_certain(act.about)
        self.judge([Candidate(m, says) for m in models], [command], act.about,
                   act.images, act.volumes, True)

    def end_for_certain(self, names):
        """Those that were asked to end, and may or may not have heard it."""
        for name in names:
            for verb in "kill", "wait":
                command = self.world.begin([verb, name]).end()
                if command.status != 0 and not lost(command):
                    raise Fault("failed: %s" % command)

    def halves(self, models, names):
        """Every state of the containers, ended now, that may have come of what
        was cut off or mixed: with up to two starts, that were logged or not."""
        for name in names:
            found = list(models)
            for m in models:
                if name not in m.containers:
                    continue
                if m.containers[name].remove:
                    gone = m.copy()
                    gone.remove(name, True)
                    found.append(gone)
                for status in {137, 7, m.containers[name].exit}:
                    for starts in range(3):
                        for lines in range(starts + 1):
                            found.append(self.half(m, name, status, starts,
                                                   lines))
            models = found
        return models

    def half_volumes(self, models, done):
        """What was made for a container, or to be written to, is there first."""
        found = []
        for m in models:
            new = [n for n in done.volumes if n not in m.volumes]
            if new:
                m = m.copy()
                m.volumes.update({n: Volume(done.volumes[n].size) for n in new})
                found.append(m)
        return found

    def half(self, model, name, status, starts, lines):
        new = model.copy()
        c = new.containers[name]
        c.state, c.exit = "exited", status
        c.starts, c.lines = starts, lines
        before = [b for b in self.model.containers.values() if b.id == c.id]
        if c.id and before:
            c.starts += min(before[0].starts, model.containers[name].starts)
            c.lines += before[0].lines
        elif c.image in self.model.images:
            c.starts += self.model.images[c.image].starts
        return new

    def strike(self):
        """kill -9 of a container's monitor, or of its own first process."""
        up = [n for n in sorted(self.model.containers)
              if self.model.containers[n].up()]
        if not up:
            return self.one(self.acts.run_d(self.model))
        name, which = self.rng.choice(up), self.rng.choice((0, 1))
        pids = self.world.firsts()[self.model.containers[name].id[:12]]
        self.tell("kill -9 of the %s of %s" % (
            ("first process", "monitor")[which], name))
        os.kill(pids[which], signal.SIGKILL)
        new = self.model.copy()
        new.end(name, 137)
        self.world.ask("ps")
        self.judge([Candidate(new)], [], [name], [], later=True)

    def attached(self):
        """Whoever looks on is told how it ended."""
        up = [n for n in sorted(self.model.containers)
              if self.model.containers[n].state == "running"]
        if not up:
            return self.one(self.acts.run_d(self.model))
        name = self.rng.choice(up)
        act = self.rng.choice((self.acts.stop, self.acts.kill))(self.model, name)
        self.tell("img attach --no-stdin %s & img %s" % (
            name, " ".join(act.argv)))
        w, ident = self.world, self.model.containers[name].id
        before = w.told("attach", ident)
        looker = w.begin(["attach", "--no-stdin", name])
        wait_until(lambda: w.told("attach", ident) > before,
                   lambda: "nobody was attached to %s" % name)
        ender = w.begin(act.argv).end()
        candidate = self.after(act)
        polite = act.verb() == "stop" and (
            self.model.containers[name].kind == POLITE)
        candidate.says.append(Says(7 if polite else 137, out=""))
        self.judge([candidate], [ender, looker.end()], [name], [], later=True)

    def steps(self, seconds, number):
        end = time.monotonic() + seconds
        while self.step < number and time.monotonic() < end:
            self.step += 1
            # What a moment decided about one step is nothing to the next.
            self.rng.seed(self.seed * 1000003 + self.step)
            dice = self.rng.random()
            if dice < 0.70:
                self.count["alone"] += 1
                self.one(self.acts.choose(self.model))
            elif dice < 0.82:
                self.count["two at once"] += 1
                self.two(*self.acts.choose_two(self.model))
            elif dice < 0.92:
                self.count["killed"] += 1
                self.killed(self.acts.choose_change(self.model))
            elif dice < 0.94:
                self.count["attached"] += 1
                self.attached()
            else:
                self.count["struck"] += 1
                self.strike()
            if self.step % WHOLE_EVERY == 0:
                self.check_whole()
        self.check_whole()

    def check_whole(self):
        self.world.check_whole(self.cut_off)
        self.cut_off = False

    def clear(self):
        """Nothing is left when all is removed."""
        w = self.world
        if self.model.containers:
            w.ask("rm", "-f", *sorted(self.model.containers))
        w.ask("rmi", "-f", *sorted({i.id for i in self.model.images.values()}))
        if self.model.volumes:
            w.ask("volume", "rm", *sorted(self.model.volumes))
        w.ask("volume", "prune", "-f")
        w.quiet()
        w.check(Seen())
        w.check_whole(False)

    def report(self, fault):
        print("FAULT: %s\nstep %d, SEED=%d; before it\n  %s\nthe model then:" % (
            fault, self.step, self.seed, "\n  ".join(self.log)))
        for name, container in sorted(self.model.containers.items()):
            print("  %s: %s" % (name, container))
        for name, key in sorted(self.model.names.items()):
            print("  %s: %s" % (name, self.model.images[key]))
        for name, volume in sorted(self.model.volumes.items()):
            print("  volume %s: %s" % (name, volume))


def main(img, tar, seconds, number, driver="thin"):
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print("SEED=%d" % seed, flush=True)
    root = os.path.realpath(os.environ.get("IMG_ROOT", "/var/lib/img"))
    scratch = tempfile.mkdtemp()
    soak = Soak(World(os.path.realpath(img), driver, root,
                      os.environ.get("IMG_RUN", "/run/img"), scratch), seed)
    try:
        soak.prepare(tar)
        begin = time.monotonic()
        soak.steps(int(seconds), int(number))
        soak.clear()
    except Fault as fault:
        soak.report(fault)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print("%d steps of the soak in %d s: %s" % (
        soak.step, time.monotonic() - begin,
        ", ".join("%d %s" % (n, what) for what, n in soak.count.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
