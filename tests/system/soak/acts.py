"""The commands: what each does to the model, and what it has to say.

An Act has a command line, the containers and images that it is about, and an
effect: a function that changes a Model and returns what the command must exit
with and say there.
"""
from model import DEAF, POLITE, Container, Image, ends, script

MEMORY = {"0": 0, "32m": 32 << 20, "64m": 64 << 20}


class Says:
    """@err: a part of its one line on stderr, or None for none at all; @out:
    the whole of its stdout, or None for anything; @new: an image whose id is
    on stdout."""
    def __init__(self, status=0, err=None, out=None, new=None):
        self.status, self.err, self.out, self.new = status, err, out, new

    def __repr__(self):
        return "status %s, stdout %r, stderr %r" % (
            self.status, self.out, self.err)


class Act:
    def __init__(self, argv, effect, about=(), images=(), later=False):
        self.argv, self.effect = [str(a) for a in argv], effect
        self.about, self.images = list(about), list(images)
        self.later = later  # it returns before all is as it will be

    def verb(self):
        return self.argv[0]


class Acts:
    """Chooses acts; the names that it uses are its own."""
    KINDS = (POLITE, POLITE, DEAF, "0", "3", "42")

    def __init__(self, rng):
        self.rng, self.serial = rng, 0

    def token(self, letter):
        self.serial += 1
        return "%s%d" % (letter, self.serial)

    def some(self, model, fit=lambda c: True):
        """A container's name: one that fits, if there is any."""
        names = sorted(model.containers)
        good = [n for n in names if fit(model.containers[n])]
        return self.rng.choice(good or names or ["nobody"])

    def any_or_nobody(self, model):
        return "nobody" if self.rng.random() < 0.1 else self.some(model)

    def image(self, model):
        return self.rng.choice(sorted(model.names))

    # Making containers.

    def new(self, model):
        """(arguments, name, effect that makes it or None, what it says)"""
        image, kind = self.image(model), self.rng.choice(self.KINDS + (None,))
        name = self.token("c")
        if model.containers and self.rng.random() < 0.1:
            name = self.some(model)
        words = ["--name", name, image]
        if kind is not None:
            words += ["sh", "-c", script(kind)]
        return words, name, image, kind

    def create(self, model):
        words, name, image, kind = self.new(model)

        def effect(m):
            if name in m.containers:
                return Says(1, "the container name '%s' is taken" % name)
            if image not in m.names:
                return Says(1, "there is no image '%s'" % image)
            m.make(name, image, kind, False)
            return Says()
        return Act(["create"] + words, effect, [name], [image])

    def run(self, model):
        words, name, image, _ = self.new(model)
        kind = self.rng.choice(("0", "3", "42"))
        words = words[:3] + ["sh", "-c", script(kind)]
        remove = self.rng.random() < 0.3

        def effect(m):
            if image not in m.names:
                return Says(125, "there is no image '%s'" % image)
            if name in m.containers:
                return Says(125, "the container name '%s' is taken" % name)
            m.make(name, image, kind, remove)
            m.begin(name, False)
            return Says(int(kind), out="up\n")
        return Act(["run"] + ["--rm"] * remove + words, effect, [name], [image])

    def run_d(self, model):
        words, name, image, kind = self.new(model)
        remove = self.rng.random() < 0.2

        def effect(m):
            if image not in m.names:
                return Says(125, "there is no image '%s'" % image)
            if name in m.containers:
                return Says(125, "the container name '%s' is taken" % name)
            m.make(name, image, kind, remove)
            m.begin(name, True)
            return Says()
        return Act(["run", "-d"] + ["--rm"] * remove + words, effect, [name],
                   [image], later=True)

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

    def stop(self, model):
        name = self.some(model, Container.up)
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

    def kill(self, model):
        name = self.some(model, Container.up)

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
                return Says(125, cannot + "there is no container '%s'" % name)
            if c.state == "paused":
                return Says(125, cannot + "it is paused: 'img unpause")
            if not c.up():
                return Says(125, cannot + "it is not running")
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

        def effect(m):
            c = m.containers.get(name)
            if not c and force:
                return Says(out="")
            if not c:
                return Says(1, "cannot remove %s: there is no container" % name)
            if c.up() and not force:
                return Says(1, "cannot remove %s: it is running: stop it "
                            "first, or use -f" % name)
            del m.containers[name]
            return Says(out=name + "\n")
        return Act(["rm"] + ["-f"] * force + [name], effect, [name])

    # What is only asked.

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
            return Says(out="up\n" * m.containers[name].lines)
        return Act(["logs", name], effect, [name])

    # Images.

    def commit(self, model):
        name, image = self.any_or_nobody(model), self.token("i")
        if self.rng.random() < 0.15:
            image = self.image(model)
        if image == "first":
            image = self.token("i")

        def effect(m):
            c = m.containers.get(name)
            if not c:
                return Says(1, "there is no container '%s'" % name)
            new = Image(None, c.kind, c.starts, c.mark)
            m.add_image(image, new)
            return Says(new=new)
        return Act(["commit", name, image], effect, [name], [image])

    def tag(self, model):
        image, name = self.image(model), self.token("t")
        if self.rng.random() < 0.2:
            name = self.image(model)
        if name == "first":
            name = self.token("t")

        def effect(m):
            if image not in m.names:
                return Says(1, "there is no image '%s'" % image)
            m.names[name] = m.names[image]
            return Says(out="")
        return Act(["tag", image, name], effect, [], [image, name])

    def rmi(self, model):
        name, force = self.image(model), self.rng.random() < 0.4
        if name == "first":
            name = "none"

        def effect(m):
            if name not in m.names:
                return Says(1, "cannot remove %s: there is no image" % name)
            key = m.names[name]
            if len(m.names_of(key)) > 1:
                del m.names[name]
                return Says(out="Untagged: %s:latest\n" % name)
            if not force and any(c.image == key
                                 for c in m.containers.values()):
                return Says(1, "was made from it: remove that first, or use -f")
            ident = m.images[key].id
            m.drop_image(key)
            return Says(out=ident and "Deleted: %s\n" % ident)
        return Act(["rmi"] + ["-f"] * force + [name], effect, [], [name])

    def rmi_nameless(self, model):
        """One that lost its name to another."""
        keys = [k for k in sorted(model.images) if not model.names_of(k)]
        if not keys:
            return self.rmi(model)
        key = self.rng.choice(keys)
        ident = model.images[key].id

        def effect(m):
            if key not in m.images:
                return Says(1, "there is no image")
            if m.names_of(key):  # it was given one meanwhile
                return Says(1, "it has")
            m.drop_image(key)
            return Says(out="Deleted: %s\n" % ident)
        return Act(["rmi", "-f", ident[:16]], effect)

    ASKS = ("wait", "logs")
    WEIGHTS = {
        "create": 4, "run": 5, "run_d": 9, "start": 9, "start_a": 3, "stop": 7,
        "restart": 5, "kill": 4, "pause": 6, "unpause": 5, "exec": 9,
        "update": 4, "rename": 4, "rm": 6, "wait": 2, "logs": 3, "commit": 6,
        "tag": 3, "rmi": 4, "rmi_nameless": 2,
    }

    def choose(self, model):
        """Few enough things for the next step to meet one again."""
        if len(model.containers) > 7:
            return self.rm_some(model)
        if len(model.containers) < 3:
            verb = self.rng.choice(("create", "run", "run_d", "run_d"))
        elif len(model.images) > 6:
            verb = self.rng.choice(("rmi", "rmi_nameless"))
        else:
            verb = self.rng.choices(list(self.WEIGHTS),
                                    list(self.WEIGHTS.values()))[0]
        return getattr(self, verb)(model)

    def choose_change(self, model):
        """One that does something, or tries to."""
        while True:
            act = self.choose(model)
            if act.verb() not in self.ASKS:
                return act

    def choose_two(self, model):
        """Of the same things, more often than not."""
        one = self.choose_change(model)
        for _ in range(self.rng.randrange(20)):
            other = self.choose(model)
            if set(one.about + one.images) & set(other.about + other.images):
                break
        else:
            other = self.choose(model)
        return one, other

    def rm_some(self, model):
        name = self.rng.choice(sorted(model.containers))

        def effect(m):
            m.containers.pop(name, None)
            return Says()
        return Act(["rm", "-f", name], effect, [name])
