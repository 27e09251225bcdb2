<?php
$plugin->version = 2013111800;
