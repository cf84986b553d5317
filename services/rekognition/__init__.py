"""Asks Amazon Rekognition what is in pictures of which the local detector is not sure.

Listens to  snapshot.analyzed, of the detector
Says        snapshot.analyzed, as a second analyser; both results stay
Owns        what paid calls cost, and answers that are remembered (shared/paid)
Safe to repeat because the answer to a picture is written down with its payment, before its event: a
repeat finds it there. Only a crash between Amazon's answer and that is paid twice, and counted
twice.
"""
