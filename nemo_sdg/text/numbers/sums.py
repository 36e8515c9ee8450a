"""Adds up the words of a number: `two hundred and five` is 2, times 100, and 5."""

_ONES_FIRST = frozenset(("de", "nl", "da", "ar"))


class Sum:
    """Adds number words up; refuses what is not a number, such as `two three` or `thousand thousand`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.total, self.group, self.room, self.any = 0, 0, 1000, False
        self.last_scale: int | None = None

    def add(self, value: int) -> bool:
        """A small number fits in the room that the one before it has left: 20 leaves 10, 200 leaves 100."""
        french = self.language == "fr"
        if french and value in (20, 1) and self.group % 100 == 4 and value == 20:
            self.group += 76  # quatre-vingts
            self.room = 20
        elif value < self.room and (value or not self.any):
            self.group += value
            twenty_steps = french and self.group % 100 in (60, 80)
            self.room = 20 if twenty_steps else 100 if value >= 100 else 10 if value >= 20 else 0
            if french and value == 10:
                self.room = 10  # dix-sept, soixante-dix-huit
            if 0 < value < 10 and self.language in _ONES_FIRST and self.group % 100 < 10:
                self.room = -1
        elif (self.room == -1 and value % 10 == 0 and 20 <= value < 100) or (
            self.language in ("tr", "vi", "id", "sw") and value < 10 and self.group % 100 == 10 and value
        ):
            self.group, self.room = self.group + value, 0
        else:
            return False
        self.any = True
        return True

    def scale(self, factor: int) -> bool:
        if factor == 10:
            if not 0 < self.group % 100 < 10:
                return False
            self.group, self.room = self.group + 9 * (self.group % 100), 10
        elif factor == 100:
            if self.group > 99 or (self.any and self.group == 0):
                return False
            self.group, self.room = (self.group or 1) * 100, 100
        else:
            if self.last_scale is not None and factor >= self.last_scale:
                return False
            if self.any and self.group == 0:
                return False
            self.total += (self.group or 1) * factor
            self.group, self.room, self.last_scale = 0, min(1000, factor), factor
        self.any = True
        return True
