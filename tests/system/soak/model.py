"""What must hold: containers, images and volumes as they have to be.

A command's effect is a function on a Model, so that two commands at once are
just two orders of two functions, and one that was killed is the model before it
or after it.
"""

# What containers run.  Each start adds a line to /starts and to the log.
BEGIN = "echo x >>/starts; echo up; "
POLITE, DEAF = "polite", "deaf"


def script(kind):
    if kind == POLITE:  # the trap first: who sees "up" may ask it to end
        return 'trap "exit 7" TERM; ' + BEGIN + "sleep 100000 & wait"
    if kind == DEAF:
        return BEGIN + "exec sleep 100000"
    return BEGIN + "exit " + kind  # at once, with that status


def ends(kind):
    """By itself."""
    return kind not in (POLITE, DEAF)


class Copied:
    def copy(self):
        new = self.__class__.__new__(self.__class__)
        new.__dict__.update(self.__dict__)
        return new

    def __repr__(self):
        return "%s(%s)" % (self.__class__.__name__, " ".join(
            "%s=%s" % (k, v[:12] if isinstance(v, str) else v)
            for k, v in sorted(self.__dict__.items())))


class Image(Copied):
    def __init__(self, ident, kind, starts, mark):
        self.id = ident  # None: not seen yet
        self.kind, self.starts, self.mark = kind, starts, mark


class Volume(Copied):
    SIZE = 64 << 20  # of one that is made without

    def __init__(self, size=SIZE):
        self.size, self.mark = size, ""


class Container(Copied):
    def __init__(self, image, image_name, kind, starts, mark, remove):
        self.id = None
        self.image = image  # key of its Image
        self.image_name = image_name
        self.kind, self.remove = kind, remove
        self.state = "created"
        self.exit = 0
        self.memory = 0
        self.starts, self.mark = starts, mark  # of its file system
        self.lines = 0  # in its log
        self.snapshots = {}  # (starts, mark) by name; never changed in place
        self.volume = self.anonymous = None  # a name; one of the model's

    def up(self):
        return self.state in ("running", "paused")


class Model:
    def __init__(self):
        self.containers, self.images, self.names = {}, {}, {}
        self.volumes, self.anonymous = {}, frozenset()
        self.can_resize = True
        self.lasting = False  # nothing ends by itself
        self.serial = 0

    def copy(self):
        new = Model()
        new.containers = {n: c.copy() for n, c in self.containers.items()}
        new.images = {k: i.copy() for k, i in self.images.items()}
        new.names = dict(self.names)
        new.volumes = {n: v.copy() for n, v in self.volumes.items()}
        new.anonymous, new.can_resize = self.anonymous, self.can_resize
        new.serial = self.serial
        return new

    def add_image(self, name, image):
        """Under a name that may be another's so far; returns its key."""
        self.serial += 1
        self.images[self.serial] = image
        self.names[name] = self.serial
        return self.serial

    def names_of(self, key):
        return [n for n, k in self.names.items() if k == key]

    def drop_image(self, key):
        for name in self.names_of(key):
            del self.names[name]
        del self.images[key]

    # What happens to a container.

    def make(self, name, image_name, kind, remove):
        key = self.names[image_name]
        image = self.images[key]
        self.containers[name] = Container(key, image_name, kind or image.kind,
                                          image.starts, image.mark, remove)
        return self.containers[name]

    def begin(self, name, logged):
        """One that ends by itself is at its end at once."""
        c = self.containers[name]
        c.state = "running"
        c.starts += 1
        c.lines += 1 if logged else 0
        if ends(c.kind) and not self.lasting:
            self.end(name, int(c.kind))

    def end(self, name, status):
        c = self.containers[name]
        c.state, c.exit = "exited", status
        if c.remove:
            self.remove(name, True)

    def remove(self, name, volumes):
        """@volumes: also a nameless one that no other container has."""
        c = self.containers.pop(name)
        if volumes and c.anonymous not in self.held():
            self.anonymous = self.anonymous - {c.anonymous}

    def held(self):
        return {c.anonymous for c in self.containers.values()}

    def prune(self):
        self.anonymous = self.anonymous & self.held()


def differences(model, seen):
    """Between a model and what was seen, as texts; binds ids where it is all
    the same."""
    bad, bound = [], []
    for name in sorted(set(model.containers) | set(seen.containers)):
        c, s = model.containers.get(name), seen.containers.get(name)
        if not c or not s:
            bad.append("container %s: %s" % (
                name, "is not there" if c else "is there: %s" % s))
            continue
        for what in ("state", "image_name", "memory") + (
                ("exit",) if c.state == "exited" else ()) + (
                ("id",) if c.id else ()):
            if getattr(c, what) != s[what]:
                bad.append("container %s: its %s is %s, not %s" % (
                    name, what, s[what], getattr(c, what)))
        if sorted(c.snapshots) != s["snapshots"]:
            bad.append("container %s: snapshots %s, not %s" % (
                name, s["snapshots"], sorted(c.snapshots)))
        if s["volumes"] != [c.volume] * bool(c.volume) + (
                ["a nameless one"] * bool(c.anonymous)):
            bad.append("container %s: it has the volumes %s, not %s and %s" % (
                name, s["volumes"], c.volume, c.anonymous))
        bound.append((c, s["id"]))
    ids = {}
    for name in sorted(set(model.names) | set(seen.names)):
        key, ident = model.names.get(name), seen.names.get(name)
        if key is None or ident is None:
            bad.append("image %s: %s" % (
                name, "is there" if key is None else "is not there"))
            continue
        image = model.images[key]
        if ids.setdefault(key, image.id or ident) != ident:
            bad.append("image %s: is %s, not %s" % (name, ident, ids[key]))
        bound.append((image, ident))
    sizes = {n: v.size for n, v in model.volumes.items()}
    if seen.volumes != sizes:
        bad.append("volumes %s, not %s" % (seen.volumes, sizes))
    if seen.anonymous != len(model.anonymous):
        bad.append("%d nameless volumes, not %d" % (
            seen.anonymous, len(model.anonymous)))
    loose = {i.id for k, i in model.images.items() if not model.names_of(k)}
    if loose != seen.nameless:
        bad.append("images without a name: %s, not %s" % (seen.nameless, loose))
    if len(set(ids.values())) != len(ids):
        bad.append("two images are one")
    for what, table in (("container", model.containers),
                        ("volume", model.volumes),
                        ("image", {n: model.images[k]
                                   for n, k in model.names.items()})):
        for name, content in seen.content.get(what, {}).items():
            if name not in table:
                continue  # told above
            for part, value in content.items():
                if getattr(table[name], part) != value:
                    bad.append("%s %s: its %s is %r, not %r" % (
                        what, name, part, value, getattr(table[name], part)))
    if not bad:
        for thing, ident in bound:
            thing.id = ident
    return bad
