<?php
// Part of moodledb's sample site.

defined('MOODLE_INTERNAL') || die();

$plugin->component = 'local_measure';
$plugin->version   = 2026011200;
