"""Decoder of the frames of a video by number.

It continues at its current position, so that the next frame costs one decode, or starts at the
nearest key frame; on the way, frames that no other depends on are decoded only if they are to be
cached. Recently decoded frames are cached as they are, so that a few steps back cost nothing; while
frames are read backward, more of them are cached.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_ferry.codecs.video import truncation
from napari_ferry.codecs.video.ffmpeg_log import silent_ffmpeg
from napari_ferry.codecs.video.frame_cache import FrameCache
from napari_ferry.codecs.video.frame_output import FrameOutput
from napari_ferry.codecs.video.packet_check import PacketChecker
from napari_ferry.codecs.video.packet_index import PacketIndex
from napari_ferry.codecs.video.packet_position import seek_packet
from napari_ferry.codecs.video.reference_check import ReferenceCheck
from napari_ferry.codecs.video.video_file import MOST_THREADS, VideoFile, open_video
from napari_ferry.errors import UnreadableFileError, warn

if TYPE_CHECKING:
    import av

_COMPLAINT = "is damaged: the decoder reports an error in its data"
_MISSING = "is damaged: data are missing from it in the file"
_CORRUPT = "is damaged: the decoder replaced a part of it"

_MOST_REORDERED = 16
"""Frames that a decoder may need to find out how many of them it has to put in order."""


class Decoder:
    """An open video file and its decoder, positioned between two frames.

    Parameters
    ----------
    path : Path
        The file.
    index : PacketIndex
        Its packets.
    is_strict : bool
        False to decode damaged frames as far as possible.
    is_careful : bool
        True to continue after an error, with a single thread, so that the error belongs to the
        packet that was decoded last.
    """

    def __init__(
        self, path: Path, index: PacketIndex, *, is_strict: bool = True, is_careful: bool = False
    ) -> None:
        self.path = path
        self.index = index
        self.is_strict = is_strict
        self.is_careful = is_careful
        self._lenient: Decoder | None = None

        self.file = self._open()
        self._checker = PacketChecker(path, index, self.file.codec_name)
        self._references = ReferenceCheck(self.file.codec, index)
        self.cache = FrameCache()
        self.output = FrameOutput()
        self.last_frame = -1
        """Number of the frame decoded last."""
        self.next_packet = len(index.decoding_times)
        """Number of the packet to decode next."""
        self.first_frame = len(index)
        """Number of the first decodable frame since the last seek."""
        self.first_wanted = 0
        """Number of the first frame that is decoded even if no other depends on it."""
        self.damage: dict[int, str] = dict.fromkeys(index.incomplete, _MISSING)
        """Number of each packet known to be damaged, and a predicate about its frame."""

    def _open(self) -> VideoFile:
        threads = 1 if self.is_careful else MOST_THREADS
        return open_video(self.path, is_strict=self.is_strict, threads=threads)

    @silent_ffmpeg()
    def frame(self, i: int) -> av.VideoFrame:
        """Return frame i as decoded.

        Raises
        ------
        UnreadableFileError
            The file has changed or is damaged there.

        Warns
        -----
        FerryWarning
            The frame is damaged, or depends on a damaged frame.
        """
        import av

        frame, is_refused = None, False
        try:
            frame = self._find(i)
        except av.FFmpegError:
            is_refused = True
        if is_refused:  # not in the handler: PyAV's generator would keep the exception, and it us
            frame = self._find_carefully(i)
        if self.file.is_strict and (frame is None or self._causes(i)):
            frame = self._find_leniently(i) or frame
        if frame is None:
            raise UnreadableFileError(
                f"Frame {i} of {self.path.name} cannot be decoded: the file is damaged there or "
                "has changed; open it again, or leave that frame out."
            )
        self._warn_of_damage(i)
        return frame

    def _find(self, i: int) -> av.VideoFrame | None:
        """Return frame i from the cache or the file; ``None`` if the decoder does not output it.

        Raises
        ------
        av.FFmpegError
            The file is damaged, and the decoder is not careful.
        """
        if cached := self.cache.find(i):
            return cached

        # continue only if no key frame is nearer than the current position
        is_ahead = self.last_frame < i and self.first_frame <= i
        is_near = is_ahead and self.index.start_packet(i) < self.next_packet
        if is_near and (frame := self._advance(i)):
            return frame

        earlier = () if self.index.has_independent_frames else (1, 2, len(self.index.key_packets))
        for back in (0, *earlier):
            if frame := self._find_from(self.index.start_packet(i, back), i):
                return frame
            is_refused = self.damage.get(int(self.index.frame_packets[i])) == _COMPLAINT
            if is_refused or self.index.start_packet(i, back) == self.index.key_packets[0]:
                break
        return None

    def _find_from(self, packet: int, i: int) -> av.VideoFrame | None:
        """Return frame i, decoded from a key frame on, or ``None``."""
        may_leave_out = self._references.is_reliable
        self._jump(packet)
        frame = self._advance(i)
        if frame or not may_leave_out:
            return frame
        self._references.is_reliable = False
        return self._find_from(packet, i)

    def _find_carefully(self, i: int) -> av.VideoFrame | None:
        """Return frame i of a damaged file, and read its other frames in the same way."""
        self.is_careful = True
        self.output.close()
        self._rewind()
        self.last_frame = len(self.index)
        return self._find(i)

    def _find_leniently(self, i: int) -> av.VideoFrame | None:
        """Return frame i with damage in it or before, if the decoder can decode a part of it."""
        if self._lenient is None:
            self._lenient = Decoder(self.path, self.index, is_strict=False, is_careful=True)
        frame = self._lenient._find(i)
        if frame and not self._causes(i):
            self.damage.setdefault(int(self.index.frame_packets[i]), _COMPLAINT)
            self.cache.add(i, frame)
        return frame

    def _causes(self, i: int) -> list[int]:
        """Return the damaged packets in the dependencies of frame i."""
        damaged = filter(self._references.may_be_needed, self.damage)
        return [packet for packet in damaged if self.index.may_depend(i, packet)]

    def _warn_of_damage(self, i: int) -> None:
        damage = self.damage.get(int(self.index.frame_packets[i]))
        causes = self._causes(i)
        if damage is None and causes:
            cause = int(self.index.frame_numbers[min(causes)])
            name = f"frame {cause}, which is" if cause >= 0 else "data that are"
            damage = f"may show parts of others, because it depends on {name} damaged"
        if damage:
            warn(f"Frame {i} of {self.path.name} {damage}.")

    def _advance(self, i: int) -> av.VideoFrame | None:
        """Decode forward to frame i; return ``None`` if the decoder does not output it."""
        # frames too far before it for the cache are decoded only if others depend on them
        self.first_wanted = i - self.cache.capacity - _MOST_REORDERED
        for number, frame in self.output:
            frame_number = int(self.index.frame_numbers[number])
            if frame_number < self.first_frame:
                continue  # depends on packets before the key frame
            self.last_frame = frame_number
            self._note_damage(number, frame)
            if not frame.is_corrupt:
                self.cache.add(frame_number, frame)
            if frame_number >= i:
                self._look_ahead(i)
                return frame if frame_number == i and not frame.is_corrupt else None
        return None

    def _look_ahead(self, i: int) -> None:
        """Decode later frames that frame i may depend on, as their damage is known only then."""
        last = self.index.last_needed(i)
        for number, frame in self.output.ahead() if last > i else ():
            frame_number = self.index.frame_numbers[number]
            if frame_number >= self.first_frame:
                self._note_damage(number, frame)
            if frame_number >= last:
                return

    def _note_damage(self, number: int, frame: av.VideoFrame) -> None:
        """Note a corrupt frame, or clear its note if decoding it again succeeds.

        A frame that depends on a skipped one may be corrupt only at first.
        """
        if frame.is_corrupt:
            self.damage.setdefault(number, _CORRUPT)
        elif self.damage.get(number) == _CORRUPT:
            del self.damage[number]

    def _jump(self, packet: int) -> None:
        """Position the decoder before a key frame."""
        self.first_frame = max(int(self.index.frame_numbers[packet]), 0) if packet else 0
        self.last_frame = -1
        self.output = FrameOutput(self._decode_from(packet))

    def _decode_from(self, first: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode from a packet on; return each frame with its packet number."""
        frames = self._decode_packets(first)
        is_double = self.file.codec_name in truncation.CODECS
        return truncation.compare(frames, self.damage) if is_double else frames

    def _decode_packets(self, first: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode all packets from a number on; decode packets with possible truncation twice."""
        may_lack = False
        for number, packet in self._packets_from(first):
            self.next_packet = number + 1
            if not self._references.add(number, packet) and may_lack:
                return  # the packet before may have been left out, but others may depend on it
            is_wanted = self.is_careful or self.index.frame_numbers[number] >= self.first_wanted
            may_lack = self._references.is_reliable and not is_wanted
            self.file.leave_out_unreferenced(may_lack)
            packet.opaque = (number,)
            if damage := self._checker.find_damage(number, packet):
                self.damage[number] = damage
            yield from self._decode(packet, number)
        self.next_packet = len(self.index.decoding_times)
        yield from self._decode(None, self.next_packet)

    def _decode(
        self, packet: av.Packet[Any] | None, number: int
    ) -> list[tuple[int, av.VideoFrame]]:
        """Decode one packet; a careful decoder notes an error and continues."""
        import av

        try:
            frames = list(self.file.decode(packet))
            if packet is not None and self.file.codec_name in truncation.CODECS:
                frames += self.file.decode(truncation.lengthened(packet))
        except av.FFmpegError:
            if not self.is_careful:
                raise
            self.damage[number] = _COMPLAINT
            return []
        return frames

    def _packets_from(self, first: int) -> Iterator[tuple[int, av.Packet[Any]]]:
        """Yield the packets from number `first` on, with their numbers."""
        import av

        count = len(self.index.decoding_times)
        try:
            for number, packet in self._seek(first):
                if number >= count:
                    return
                if number >= first:
                    yield number, packet
        except av.FFmpegError:
            if not self.is_careful:
                raise

    def _seek(self, first: int) -> Iterator[tuple[int, av.Packet[Any]]]:
        """Return packets from number `first` or an earlier one on, with their numbers."""
        if first and (packets := seek_packet(self.file, self.index, first)):
            return packets
        self._rewind()
        return enumerate(self.file.packets())

    def _rewind(self) -> None:
        """Open the file again."""
        self.file.close()
        self.file = self._open()

    def close(self) -> None:
        """Close the file."""
        if self._lenient is not None:
            self._lenient.close()
        self.output.close()
        self.cache.clear()
        self.file.close()
