<?php
// Part of moodledb's sample site.

defined('MOODLE_INTERNAL') || die();

$plugin->component = 'block_rss_client';
$plugin->version   = 2024100700;
