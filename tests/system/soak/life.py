"""The commands of a container's life."""
from act import Act, Choice, Says
from model import DEAF, POLITE, Container, Volume, ends, script
from volumes import ANONYMOUS

MEMORY = {"0": 0, "32m": 32 << 20, "64m": 64 << 20}


class Life(Choice):
    KINDS = (POLITE, POLITE, DEAF, "0", "3", "42")

    # Making containers.

    def new(self, model):
        """(arguments, name, image, kind of script, mounts)"""
        image, kind = self.image(model), self.rng.choice(self.KINDS + (None,))
        name = self.token("c")
        if model.containers and self.rng.random() < 0.1:
            name = self.some(model)
        words = ["--name", name, image]
        if kind is not None:
            words += ["sh", "-c", script(kind)]
        return words, name, image, kind, self.mounts(model)

    def made(self, m, name, image, kind, remove, mounts):
        """None once it is there, or why it is not.  Of one that comes to
        nothing the volumes with a name stay."""
        if image not in m.names:
            return "there is no image '%s'" % image
        if mounts.missing(m):
            return mounts.missing(m)
        if name in m.containers:
            if mounts.volume:
                m.volumes.setdefault(mounts.volume, Volume())
            return "the container name '%s' is taken" % name
        mounts.give(m, m.make(name, image, kind, remove))
        return None

    def create(self, model):
        words, name, image, kind, mounts = self.new(model)

        def effect(m):
            why = self.made(m, name, image, kind, False, mounts)
            return Says(1, why) if why else Says()
        return Act(["create"] + mounts.words + words, effect, [name], [image],
                   volumes=mounts.about())

    def run(self, model):
        words, name, image, _, mounts = self.new(model)
        kind = self.rng.choice(("0", "3", "42"))
        words = words[:3] + ["sh", "-c", script(kind)]
        remove = self.rng.random() < 0.3

        def effect(m):
            why = self.made(m, name, image, kind, remove, mounts)
            if why:
                return Says(125, why)
            m.begin(name, False)
            return Says(int(kind), out="up\n")
        return Act(["run"] + ["--rm"] * remove + mounts.words + words, effect,
                   [name], [image], volumes=mounts.about())

    def run_d(self, model):
        words, name, image, kind, mounts = self.new(model)
        remove = self.rng.random() < 0.2

        def effect(m):
            why = self.made(m, name, image, kind, remove, mounts)
            if why:
                return Says(125, why)
            m.begin(name, True)
            return Says()
        return Act(["run", "-d"] + ["--rm"] * remove + mounts.words + words,
                   effect, [name], [image], later=True, volumes=mounts.about())

    # Their life.

    def on(self, name, doing, effect):
        """An effect on a container that may not be there."""
        def whole(m):
            if name not in m.containers:
                return Says(1, "cannot %s %s: there is no container '%s'" % (
                    doing, name, name))
            return effect(m, m.containers[name])
        return whole

    def start(self, model):
        name = self.some(model, lambda c: not c.up())

        def effect(m, c):
            if not c.up():
                m.begin(name, True)
            return Says(out=name + "\n")
        return Act(["start", name], self.on(name, "start", effect), [name],
                   later=True)

    def start_a(self, model):
        name = self.some(model, lambda c: ends(c.kind) and not c.up())
        c = model.containers.get(name)
        if not c or not (ends(c.kind) or c.up()):
            return self.start(model)

        def effect(m, c):
            if c.up():
                return Says(1, "cannot start %s: it runs already" % name)
            m.begin(name, False)
            return Says(int(c.kind), out="up\n")
        return Act(["start", "-a", name], self.on(name, "start", effect), [name])

    def grace(self, model, name):
        """How to ask it so that the answer is certain."""
        c = model.containers.get(name)
        asks = c and c.kind == POLITE and c.state != "paused"
        return ["-t", "100" if asks else "0"]

    def stop(self, model, name=None):
        name = name or self.some(model, Container.up)
        grace = self.grace(model, name)

        def effect(m, c):
            if c.up():
                m.end(name, 7 if c.kind == POLITE and c.state == "running"
                      else 137)
            return Says(out=name + "\n")
        return Act(["stop"] + grace + [name], self.on(name, "stop", effect),
                   [name])

    def restart(self, model):
        name = self.some(model, lambda c: not c.remove)
        c = model.containers.get(name)
        if c and c.remove:  # it goes when it is stopped
            return self.stop(model)
        grace = self.grace(model, name)

        def effect(m, c):
            m.begin(name, True)
            return Says(out=name + "\n")
        return Act(["restart"] + grace + [name],
                   self.on(name, "restart", effect), [name], later=True)

    def kill(self, model, name=None):
        name = name or self.some(model, Container.up)

        def effect(m, c):
            if not c.up():
                return Says(1, "cannot kill %s: it is not running" % name)
            m.end(name, 137)
            return Says(out=name + "\n")
        return Act(["kill", name], self.on(name, "kill", effect), [name],
                   later=True)

    def pause(self, model):
        name = self.some(model, lambda c: c.state == "running")

        def effect(m, c):
            if c.state != "running":
                return Says(1, "cannot pause %s: it is %s" % (
                    name, "paused already" if c.state == "paused"
                    else "not running"))
            c.state = "paused"
            return Says(out=name + "\n")
        return Act(["pause", name], self.on(name, "pause", effect), [name])

    def unpause(self, model):
        name = self.some(model, lambda c: c.state == "paused")

        def effect(m, c):
            if c.state != "paused":
                return Says(1, "cannot unpause %s: it is not %s" % (
                    name, "paused" if c.state == "running" else "running"))
            c.state = "running"
            return Says(out=name + "\n")
        return Act(["unpause", name], self.on(name, "unpause", effect), [name])

    def exec(self, model):
        name = self.some(model, lambda c: c.state == "running")
        mark, status = self.token("m"), self.rng.choice((0, 5))

        def effect(m):
            c = m.containers.get(name)
            cannot = "cannot run a command in %s: " % name
            if not c:
                return Says(1, cannot + "there is no container '%s'" % name)
            if c.state == "paused":
                return Says(1, cannot + "it is paused: 'img unpause")
            if not c.up():
                return Says(1, cannot + "it is not running")
            c.mark = mark
            return Says(status, out="said\n")
        return Act(["exec", name, "sh", "-c", "echo %s >/mark; echo said; "
                    "exit %d" % (mark, status)], effect, [name])

    def update(self, model):
        name, memory = self.any_or_nobody(model), self.rng.choice(list(MEMORY))

        def effect(m, c):
            c.memory = MEMORY[memory]
            return Says(out=name + "\n")
        return Act(["update", "-m", memory, name],
                   self.on(name, "update", effect), [name])

    def trim(self, model):
        name = self.any_or_nobody(model)

        def effect(m):
            if name not in m.containers:
                return Says(1, "there is no container, image or volume '%s'" %
                            name)
            return Says()
        return Act(["trim", name], effect, [name])

    def rename(self, model):
        old, new = self.some(model), self.token("r")
        if self.rng.random() < 0.2:
            new = self.some(model)

        def effect(m):
            if old not in m.containers:
                return Says(1, "there is no container '%s'" % old)
            if new in m.containers and new != old:
                return Says(1, "the container name '%s' is taken" % new)
            m.containers[new] = m.containers.pop(old)
            return Says(out="")
        return Act(["rename", old, new], effect, [old, new])

    def rm(self, model):
        name, force = self.any_or_nobody(model), self.rng.random() < 0.5
        c = model.containers.get(name)
        # One with --rm takes them along itself, whoever is first.
        volumes = bool(c and c.remove) or self.rng.random() < 0.5

        def effect(m):
            c = m.containers.get(name)
            if not c and force:
                return Says(out="")
            if not c:
                return Says(1, "cannot remove %s: there is no container" % name)
            if c.up() and not force:
                return Says(1, "cannot remove %s: it is running: stop it "
                            "first, or use -f" % name)
            m.remove(name, volumes)
            return Says(out=name + "\n")
        return Act(["rm"] + ["-f"] * force + ["-v"] * volumes + [name], effect,
                   [name], volumes=[ANONYMOUS])

    # What is only asked.

    def attach(self, model):
        """To one that does not run: else it would last."""
        name = self.some(model, lambda c: not c.up())
        if name not in model.containers or model.containers[name].up():
            return self.logs(model)

        def effect(m):
            return Says(1, "cannot attach to %s: it is not running" % name
                        if name in m.containers else
                        "there is no container '%s'" % name)
        return Act(["attach", "--no-stdin", name], effect, [name])

    def pool_stop(self, model):
        def effect(m):
            if any(c.up() for c in m.containers.values()):
                return Says(1, "another command uses the store")
            return Says(out="")
        return Act(["pool", "stop"], effect)

    def wait(self, model):
        name = self.some(model, lambda c: not c.up())
        if name not in model.containers or model.containers[name].up():
            return self.logs(model)

        def effect(m, c):
            return Says(out="%d\n" % c.exit)
        return Act(["wait", name], self.on(name, "wait for", effect), [name])

    def logs(self, model):
        name = self.some(model)

        def effect(m):
            if name not in m.containers:
                return Says(1, "there is no container '%s'" % name)
            lines = m.containers[name].lines
            return Says(out="up\n" * lines, note=None if lines else
                        "it ran in the foreground")
        return Act(["logs", name], effect, [name])
