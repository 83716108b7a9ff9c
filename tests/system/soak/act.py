"""A command as the soak has it: its words, the containers, images and volumes
that it is about, and an effect: a function that changes a Model and returns what the
command must exit with and say there."""


class Says:
    """@err: a part of its one line on stderr, or None for none at all; @note:
    of one that may be there; @out: the whole of its stdout, or None for
    anything; @new: an image whose id is on stdout."""
    def __init__(self, status=0, err=None, out=None, new=None, note=None):
        self.status, self.err, self.out, self.new = status, err, out, new
        self.note = note

    def __repr__(self):
        return "status %s, stdout %r, stderr %r" % (
            self.status, self.out, self.err)


class Act:
    def __init__(self, argv, effect, about=(), images=(), later=False,
                 volumes=()):
        self.argv, self.effect = [str(a) for a in argv], effect
        self.about, self.images = list(about), list(images)
        self.volumes = list(volumes)
        self.later = later  # it returns before all is as it will be

    def meets(self, other):
        """They want the same, and one may find that it came too late."""
        return (set(self.about + self.images) & set(other.about + other.images)
                or set(self.volumes) & set(other.volumes))

    def verb(self):
        return self.argv[0]


class Choice:
    """Chooses what an act is about; new names are its own."""
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
